"""The few pages people see: plain words, large type, one action, light or dark as their device prefers."""

from functools import cache
from html import escape
from pathlib import Path
from string import Template

_FOLDER = Path(__file__).with_name("static")


@cache
def _frame() -> Template:
    return Template((_FOLDER / "page.html").read_text())


def _page(title: str, body: str) -> str:
    return _frame().substitute(title=escape(title), body=body)


def ask() -> str:
    """Before anything happens. The form posts to the page's own address."""
    return _page(
        "Unsubscribe",
        """<h1>Unsubscribe from these emails?</h1>
<p>You will stop getting emails like the one that brought you here.
Receipts and other messages about your orders still arrive.</p>
<form method="post"><button type="submit">Unsubscribe</button></form>
<p class="quiet">Changed your mind? Just close this page; nothing has happened yet.</p>""",
    )


def done() -> str:
    """After the wish is durable."""
    return _page(
        "Unsubscribed",
        """<h1>You are unsubscribed.</h1>
<p>It is effective now. You can close this page.</p>""",
    )


def invalid_link() -> str:
    """A token that was cut, mistyped or signed elsewhere."""
    return _page(
        "Link not valid",
        """<h1>This link is not complete.</h1>
<p>Part of it may have been lost on the way.
Open it again from the email, or use your mail program’s own “Unsubscribe” button.</p>""",
    )


def home(base: str) -> str:
    """What this is, and how to point an SDK here."""
    return _page(
        "Kairos collector", Template((_FOLDER / "home.html").read_text()).substitute(base=escape(base))
    )
