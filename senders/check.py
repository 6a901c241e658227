"""Finds what is wrong with templates before anyone is mailed: each finding has a place and a cure."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from senders.render import TEMPLATES, Renderer, RenderError
from senders.rendering import clients
from senders.rendering.environment import EmailEnvironment
from senders.rendering.flatten import Flat, Place
from senders.rendering.variables import unknown_names


class Branch(NamedTuple):
    """A row of routes.csv or sequences.csv: who gets which template. `place` is where it is written."""

    trigger_name: str
    route: str
    template: str
    place: Place
    touch: int = 1
    has_coupon: bool = False  # its offer carries one


class Subject(NamedTuple):
    """A row of variants.csv."""

    trigger_name: str
    route: str
    source: str
    place: Place


class Finding(NamedTuple):
    """One thing to mend."""

    place: str  # "cart_abandonment/touch_1.html.j2 line 7"; a RenderError names its own
    problem: str

    def __str__(self) -> str:
        return f"{self.place}: {self.problem}" if self.place else self.problem


def check(branches: Iterable[Branch], subjects: Iterable[Subject], folder: Path = TEMPLATES) -> list[Finding]:
    """Everything that is wrong with the templates of a folder and the seeds that use them."""
    branches, subjects = list(branches), list(subjects)
    renderer = Renderer(folder, strict=False)
    pages = [finding for page in renderer.names() for finding in _page(renderer, page)]
    style = [
        Finding(f"_shared/style.css line {line}", problem)
        for line, problem in clients.unsupported_css((folder / "_shared/style.css").read_text("utf-8"))
    ]
    seeds = [
        *_branches(branches, subjects, renderer.names()),
        *_coupons(branches, renderer),
        *_subjects(subjects, renderer),
    ]
    return list(dict.fromkeys([*pages, *style, *seeds]))


def _page(renderer: Renderer, page: str) -> list[Finding]:
    """What keeps the renderer from loading a page comes first: nothing else can be said about it then."""
    try:
        renderer.require(page)
    except RenderError as error:
        return [Finding("", str(error))]
    html, text = renderer.sources(page)
    shown = [Finding(str(html.place(line)), problem) for line, problem in clients.unsupported(html.source)]
    return [*_names(html), *_names(text), *shown]


def _names(flat: Flat) -> list[Finding]:
    tree = EmailEnvironment().parse(flat.source)
    return [Finding(str(flat.place(line)), problem) for line, problem in unknown_names(tree)]


def _branches(branches: list[Branch], subjects: list[Subject], pages: list[str]) -> list[Finding]:
    with_subject = {(subject.trigger_name, subject.route) for subject in subjects}
    missing = [
        Finding(str(branch.place), f"no template {branch.template!r}: add senders/templates/{branch.template}.html.j2 and .txt.j2")
        for branch in branches
        if branch.template not in pages
    ]  # fmt: skip
    silent = [
        Finding(
            str(branch.place),
            f"{branch.trigger_name}/{branch.route} has no subject: add a row to dbt_project/seeds/variants.csv",
        )
        for branch in branches
        if (branch.trigger_name, branch.route) not in with_subject
    ]
    return missing + silent


def _coupons(branches: list[Branch], renderer: Renderer) -> list[Finding]:
    """Who is given a coupon must be able to read its code, in HTML and in text."""
    return [
        Finding(str(branch.place), f"{branch.route} offers a coupon, and {branch.template} does not show its code: include _shared/coupon.html.j2 and .txt.j2")
        for branch in branches
        if branch.has_coupon
        and branch.template in renderer.templates()
        and not all("coupon.code" in part.source for part in renderer.sources(branch.template))
    ]  # fmt: skip


def _subjects(subjects: list[Subject], renderer: Renderer) -> list[Finding]:
    found: list[Finding] = []
    for subject in subjects:
        try:
            renderer.check_subject(subject.source)
        except RenderError as error:
            found.append(Finding(str(subject.place), str(error)))
            continue
        tree = EmailEnvironment().parse(subject.source)
        found += [Finding(str(subject.place), problem) for _, problem in unknown_names(tree)]
    return found
