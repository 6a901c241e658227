"""`kairos templates`: look at emails, and find what is wrong with them before anyone is mailed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from orchestration.cli.errors import FriendlyError
from orchestration.cli.people import decisions_about, the_ledger
from orchestration.cli.screenshots import browser, take
from orchestration.live.lease import utc_now
from orchestration.seeds import branches, subjects
from orchestration.settings import Settings, load_settings
from senders.check import Branch
from senders.check import check as check_templates
from senders.coupons import issue
from senders.ledger.ledger import Ledger
from senders.ledger.views import Payload
from senders.render import SAMPLES, Renderer, RenderError
from senders.rendering.flatten import Place

console = Console()
templates = typer.Typer(help="The emails: list, check and look at them.", no_args_is_help=True)


@templates.command("list")
def list_templates() -> None:
    """Every email there is, its languages, and the branches that use it."""
    seeds = load_settings().dbt_project / "seeds"
    renderer = Renderer(strict=False)
    used: dict[str, list[str]] = {}
    for branch in branches(seeds):
        used.setdefault(branch.template, []).append(branch.route)
    for page in renderer.names():
        routes = ", ".join(used.get(page, [])) or "no branch yet"
        console.print(f"{page}  ({renderer.file(page, 'html')}): {routes}", highlight=False, soft_wrap=True)


@templates.command()
def check() -> None:
    """Names, links, HTML and CSS of every email, and a subject for every branch; exit code 1 if any is wrong."""
    seeds = load_settings().dbt_project / "seeds"
    found = check_templates(branches(seeds), subjects(seeds))
    for finding in found:
        console.print(str(finding), highlight=False, markup=False, soft_wrap=True)
    if found:
        raise typer.Exit(1)
    console.print(f"{len(Renderer(strict=False).names())} emails and all their subjects are fine")


@templates.command()
def preview(
    trigger: Annotated[str, typer.Argument(help="The folder under senders/templates.")],
    touch: Annotated[int, typer.Option(help="Which email of the sequence.")] = 1,
    route: Annotated[
        str | None, typer.Option(help="The branch; by default the first of its trigger.")
    ] = None,
    who: Annotated[
        str,
        typer.Option(
            "--as", help="`sample`, or somebody's address or id: what that person was last to be sent."
        ),
    ] = "sample",
    out: Annotated[Path | None, typer.Option(help="Folder to write to.")] = None,
) -> None:
    """Write one email as HTML and text, and as pictures if a Chromium is found."""
    settings = load_settings()
    page = _page(settings, trigger, touch)
    what = _sample(settings, page, trigger, route) if who == "sample" else _newest(settings, who, page, route)
    try:
        body = Renderer(strict=False).render(what.template, what.subject, what.content)
    except RenderError as error:
        raise FriendlyError(str(error)) from None
    folder = out or settings.data / "previews"
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / "_".join(filter(None, (trigger, f"touch_{touch}", what.content.get("route"))))
    for suffix, text in ((".html", body.html), (".txt", body.text)):
        stem.with_suffix(suffix).write_text(text, encoding="utf-8")
    console.print(f"subject: {body.subject}", highlight=False, markup=False)
    console.print(f"written: {stem}.html and .txt", highlight=False, markup=False, soft_wrap=True)
    _pictures(stem)


def _page(settings: Settings, trigger: str, touch: int) -> str:
    """The template of that email; a later one may lie in another folder, as the win-back does."""
    known = branches(settings.dbt_project / "seeds")
    used = [branch.template for branch in known if (branch.trigger_name, branch.touch) == (trigger, touch)]
    return next(iter(used), f"{trigger}/touch_{touch}")


def _pictures(stem: Path) -> None:
    found = browser()
    if found is None:
        console.print("no pictures: install chromium to get them")
        return
    for picture in take(found, stem.with_suffix(".html")):
        console.print(f"picture: {picture}", highlight=False, markup=False, soft_wrap=True)


def _sample(settings: Settings, page: str, trigger: str, route: str | None) -> Payload:
    """A person of whom everything is known."""
    seeds = settings.dbt_project / "seeds"
    used = [branch for branch in branches(seeds) if branch.template == page and route in (None, branch.route)]
    branch = next(
        iter(used), Branch(trigger, route or "", page, Place((page, 0)), int(page.rpartition("_")[2]))
    )
    about = (branch.trigger_name, branch.route)
    fitting = [each.source for each in subjects(seeds) if (each.trigger_name, each.route) == about]
    content = json.loads(SAMPLES.read_text(encoding="utf-8"))
    content |= {"trigger_name": branch.trigger_name, "touch": branch.touch, "route": branch.route or None}
    return Payload(page, next(iter(fitting), "Subject"), content)


def _newest(settings: Settings, who: str, page: str, route: str | None) -> Payload:
    """What was decided last for a person about this email."""
    with the_ledger() as ledger:
        found = _find(ledger, who, page, route)
    if found is None:
        raise FriendlyError(f"{who!r} was never to be sent {page}: try `--as sample`, or `kairos why {who}`")
    return Payload(found.template, found.subject, {**_sender(settings), **with_coupon(found.content)})


def with_coupon(content: Mapping[str, Any]) -> dict[str, Any]:
    """As if it were sent now, with a code that is none."""
    shown = dict(content)
    if offer := shown.pop("coupon_offer", None):
        shown["coupon"] = issue("PREVIEW", offer, utc_now(), None, "UTC")
    return shown


def _find(ledger: Ledger, who: str, page: str, route: str | None) -> Payload | None:
    for decision in decisions_about(ledger, who):
        payload = ledger.payload(decision.decision_id)
        if payload and payload.template == page and route in (None, decision.route):
            about = {"route": decision.route, "trigger_name": decision.trigger_name, "touch": decision.touch}
            return payload._replace(content={**payload.content, **about})
    return None


def _sender(settings: Settings) -> dict[str, Any]:
    """What only the sender knows; a preview cannot unsubscribe anyone."""
    mail = settings.mail
    shop = {"name": mail.shop_name, "url": mail.shop_url, "address": mail.postal_address}
    return {"shop": shop, "unsubscribe_url": "https://unsubscribe.example/preview"}
