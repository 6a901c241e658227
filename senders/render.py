"""Renders emails: Jinja, Mustache and Handlebars, checked at load, in a sandbox that has no off switch."""

import re
import traceback
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from html import unescape
from pathlib import Path
from typing import Any

from jinja2 import Template, TemplateError, TemplateSyntaxError

from senders.context import DEFAULTS
from senders.mime import Body
from senders.rendering import foreign
from senders.rendering.budget import Budget
from senders.rendering.environment import EmailEnvironment
from senders.rendering.flatten import Flat, Place, flatten
from senders.rendering.inliner import LayoutShifted, inline
from senders.rendering.linter import TemplateRefused

TEMPLATES = Path(__file__).parent / "templates"
SAMPLES = TEMPLATES / "samples.json"  # a context in which everything is known

_STYLE = "_shared/style.css"
_SUFFIXES = (".j2", *foreign.SUFFIXES)
_PAGE = re.compile(r"[a-z0-9_]+/touch_[0-9]+")
_EXPRESSION = re.compile(r"\{\{.*?\}\}|\{%.*?%\}")
_LONGEST_SUBJECT = 200

_WRITTEN_LINK = re.compile(r"https?://[^\s<>\"'`{}|]+(?=[\s<\"'`]|\Z)")
_BLANK_LINES = re.compile(r"\n{3,}")


class RenderError(ValueError):
    """Something cannot be rendered. Names template, line and variable."""


@dataclass(frozen=True)
class _Part:
    """One compiled source and what it was put together from."""

    template: Template
    flat: Flat


class Renderer:
    """All templates of one folder, compiled."""

    def __init__(self, folder: Path = TEMPLATES, strict: bool = True) -> None:
        """Strict: raises RenderError for the first template that must not be used.

        Otherwise a broken template concerns its own emails only: rendering one of them raises.
        """
        self._folder = folder
        self._environment = EmailEnvironment()
        self._subject = lru_cache(maxsize=1024)(self._compile_subject)
        # Of a page: the addresses that its template itself spells out, as in a link to the shop's page elsewhere.
        self.written_links = lru_cache(maxsize=1024)(self._find_written_links)
        self._pages: dict[str, tuple[_Part, _Part]] = {}
        self._broken: dict[str, RenderError] = {}
        for page in self._find_pages():
            self._load(page, strict)

    def _load(self, page: str, strict: bool) -> None:
        try:
            self._pages[page] = self._compile_page(page)
        except RenderError as error:
            if strict:
                raise
            self._broken[page] = error

    def templates(self) -> list[str]:
        """The names a decision may use."""
        return sorted(self._pages)

    def names(self) -> list[str]:
        """All pages of the folder, broken ones included."""
        return sorted([*self._pages, *self._broken])

    def require(self, template: str) -> tuple[_Part, _Part]:
        """HTML and text of a page; RenderError if it is broken or does not exist."""
        if template in self._broken:
            raise RenderError(str(self._broken[template]))
        if template not in self._pages:
            raise RenderError(
                f"no template {template!r}: add senders/templates/{template}.html.j2 and .txt.j2"
            )
        return self._pages[template]

    def check_subject(self, source: str) -> None:
        """Raises RenderError for a subject that cannot be used."""
        self._subject(source)

    def _find_written_links(self, page: str) -> frozenset[str]:
        html, text = self.require(page)
        return frozenset(
            unescape(link) for part in (html, text) for link in _WRITTEN_LINK.findall(part.flat.source)
        )

    def render(self, template: str, subject: str, context: Mapping[str, Any]) -> Body:
        """Subject, HTML and text of one email."""
        html, text = self.require(template)
        values = {**DEFAULTS, **context, "_budget": Budget()}
        values["subject"] = _one_line(_run(self._subject(subject), values))
        return Body(values["subject"], _run(html, values), _tidy(_run(text, values)))

    def _compile_subject(self, source: str) -> _Part:
        return self._compile(Flat(source, (Place(("the subject", 1)),)), "the subject")

    def _compile_page(self, page: str) -> tuple[_Part, _Part]:
        """The sources are checked as they were written, and what inlining made of them once more."""
        html, text = self.file(page, "html"), self.file(page, "txt")
        written = self._compile(flatten(text, self._read), text)
        with self._explained(source := flatten(html, self._read), html):
            self._environment.check(source.source, html)
        return self._compile(flatten(html, self._styled), html), written

    def file(self, page: str, kind: str) -> str:
        """The one file that holds this part of a page: `html` or `txt`, in whatever language."""
        found = [
            name for suffix in _SUFFIXES if (self._folder / (name := f"{page}.{kind}{suffix}")).is_file()
        ]
        if len(found) > 1:
            raise RenderError(f"senders/templates has both {' and '.join(found)}: keep one")
        return found[0] if found else f"{page}.{kind}.j2"  # reading it says what is missing

    def sources(self, page: str) -> list[Flat]:
        """HTML and text of a page as they were written, flattened, for checks. Raises RenderError."""
        return [flatten(self.file(page, kind), self._read) for kind in ("html", "txt")]

    def _compile(self, flat: Flat, name: str) -> _Part:
        with self._explained(flat, name):
            return _Part(self._environment.build(flat.source, name), flat)

    @contextmanager
    def _explained(self, flat: Flat, name: str) -> Iterator[None]:
        """What is wrong with a source, and where it was written."""
        try:
            yield
        except TemplateRefused as error:
            raise RenderError(f"{flat.place(error.line)}: {error.problem}") from error
        except TemplateSyntaxError as error:
            raise RenderError(f"{flat.place(error.lineno)}: {error.message}") from error
        except TemplateError as error:
            raise RenderError(f"{name}: {error}") from error

    def _find_pages(self) -> list[str]:
        found = (path.relative_to(self._folder) for path in self._folder.glob("*/*.html.*"))
        names = {str(path).partition(".html.")[0] for path in found if path.suffix in _SUFFIXES}
        return sorted(name for name in names if _PAGE.fullmatch(name))

    def _read(self, name: str) -> str:
        path = self._folder / name
        if not path.is_file():
            raise RenderError(f"senders/templates/{name} is missing: every email needs .html.j2 and .txt.j2")
        source = path.read_text(encoding="utf-8")
        if path.suffix not in foreign.SUFFIXES:
            return source
        try:
            return foreign.to_jinja(source, name)
        except TemplateRefused as error:
            raise RenderError(f"{name} line {error.line}: {error.problem}") from error

    def _styled(self, name: str) -> str:
        """Templates from elsewhere bring their own styles."""
        if not name.endswith(".j2"):
            return self._read(name)
        try:
            return inline(self._read(name), self._read(_STYLE), name)
        except LayoutShifted as error:
            raise RenderError(str(error)) from error


def _run(part: _Part, values: dict[str, Any]) -> str:
    try:
        return values["_budget"].join(part.template.root_render_func(part.template.new_context(values)))
    except Exception as error:  # a template can raise whatever its data makes it raise
        raise RenderError(_explain(error, part)) from error


def _explain(error: Exception, part: _Part) -> str:
    """Where, in which expression, and why. Never a whole value: values are people's data."""
    line = _line_of(error, part)
    expressions = " ".join(_EXPRESSION.findall(part.flat.text(line)))
    return f"{part.flat.place(line)}: {error} in {expressions}"


def _line_of(error: Exception, part: _Part) -> int:
    """The line of the flat source in which the innermost frame of this template was."""
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        if frame.f_code.co_filename == part.template.filename:
            return part.template.get_corresponding_lineno(line)
    return 1


def _tidy(text: str) -> str:
    """Blocks that are absent leave no gaps."""
    return _BLANK_LINES.sub("\n\n", text).strip() + "\n"


def _one_line(subject: str) -> str:
    """Line ends become spaces and invisible characters go, whatever a product is called."""
    if not subject.isprintable():
        visible = (char for char in subject if char.isspace() or unicodedata.category(char)[0] != "C")
        subject = "".join(visible)
    line = " ".join(subject.split())
    return line if len(line) <= _LONGEST_SUBJECT else line[: _LONGEST_SUBJECT - 1].rstrip() + "…"
