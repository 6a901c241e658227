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


def ask(pause_days: int) -> str:
    """Before anything happens. The forms post to the page's own address."""
    return _page(
        "What would you like to get?",
        f"""<h1>What would you like to get?</h1>
<p>Receipts and other messages about your orders arrive in any case.</p>
<form method="post">
<button name="choice" value="all">Unsubscribe from all</button>
<p class="note">No more reminders and suggestions from us.</p>
<button class="plain" name="choice" value="topic">No more about this</button>
<p class="note">Emails of the kind that brought you here stop, others may still arrive.</p>
<button class="plain" name="choice" value="pause">A break of {pause_days} days</button>
<p class="note">Nothing until then, and after that as before.</p>
</form>
<p class="quiet">Changed your mind? Just close this page; nothing has happened yet.</p>""",
    )


def done(choice: str, pause_days: int) -> str:
    """After the wish is durable."""
    title, said = {
        "topic": ("No more about this.", "Emails of this kind stop now. Others may still arrive."),
        "pause": ("Enjoy the quiet.", f"We will not write for {pause_days} days."),
    }.get(choice, ("You are unsubscribed.", "It is effective now."))
    return _page(title, f"<h1>{title}</h1>\n<p>{said} You can close this page.</p>")


def invalid_link(reason: str = "its signature does not match") -> str:
    """A token that was cut, mistyped or signed elsewhere."""
    return _page(
        "Link not valid",
        f"""<h1>This link is not valid.</h1>
<p>Part of it may have been lost on the way.
Open it again from the email; to unsubscribe, your mail program’s own “Unsubscribe” button works too.</p>
<p class="quiet">The link cannot be used: {escape(reason)}.</p>""",
    )


def expired_link(home_url: str | None) -> str:
    """A link of ours, from an email so old that nobody remembers where it led."""
    way_on = f'<p><a class="button" href="{escape(home_url)}">Go to the shop</a></p>' if home_url else ""
    return _page(
        "Link no longer kept",
        f"""<h1>This link has had its day.</h1>
<p>The email it comes from is so old that we no longer keep where its links led.</p>
{way_on}""",
    )


def home(base: str) -> str:
    """What this is, and how to point an SDK here."""
    return _page(
        "Kairos collector", Template((_FOLDER / "home.html").read_text()).substitute(base=escape(base))
    )
