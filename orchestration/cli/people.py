"""`kairos why` and `kairos review`: answers about single people and emails."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from orchestration.cli.errors import FriendlyError
from orchestration.live.lease import utc_now
from orchestration.live.sending import open_ledger
from orchestration.settings import load_settings
from senders.ledger.ledger import Ledger
from senders.ledger.reviews import ReviewError
from senders.ledger.views import Entry, Explanation

console = Console()
review = typer.Typer(help="Emails that wait for a person.", no_args_is_help=True)


@contextmanager
def the_ledger() -> Iterator[Ledger]:
    ledger = open_ledger(load_settings())
    try:
        yield ledger
    except ReviewError as error:
        raise FriendlyError(str(error)) from None
    finally:
        ledger.close()


def why(
    who: Annotated[
        str, typer.Argument(help="A customer id, a visitor id, an email address, or a decision id.")
    ],
    limit: Annotated[int, typer.Option(help="Newest decisions to show.")] = 5,
) -> None:
    """Why did, or did not, this person get this email? From what was known then."""
    with the_ledger() as ledger:
        found = decisions_about(ledger, who)
    if not found:
        raise FriendlyError(f"no decision about {who!r}: nobody by that name reached a moment yet")
    for explanation in found[:limit]:
        _show(explanation)


def decisions_about(ledger: Ledger, who: str) -> list[Explanation]:
    """Newest first, by address, customer id, visitor id or decision id."""
    if "@" in who:
        return ledger.explain(address=who)
    return ledger.explain(person=who) or ledger.explain(decision_id=who)


def _show(found: Explanation) -> None:
    outcome = found.state or "not meant to be sent"
    table = Table(
        title=f"{found.trigger_name} · {found.decision_id}", show_header=False, title_justify="left"
    )
    table.add_row("outcome", outcome + (f" ({found.reason})" if found.reason else ""))
    table.add_row(
        "moment", f"{found.qualifies_at:%Y-%m-%d %H:%M:%S.%f} UTC, expires {found.expires_at:%H:%M}"
    )
    table.add_row(
        "about",
        f"customer {found.customer_id or 'unknown'}, visitor {found.visitor_id}, entity {found.entity_id}",
    )
    table.add_row("branch", f"{found.route or '–'}, subject variant {found.variant or '–'}")
    for rule, holds in found.reasons.items():
        table.add_row(rule, "[green]yes[/]" if holds else "[red]no[/]")
    table.add_row(
        "evidence",
        "\n".join(f"{name} = {value}" for name, value in found.evidence.items() if value is not None),
    )
    table.add_row("history", "\n".join(map(_told, found.history)) or "–")
    console.print(table)


def _told(entry: Entry) -> str:
    """One line of the history: when, what, and by whom and why where a person did it."""
    who, why = entry.detail.get("who"), entry.detail.get("why") or entry.detail.get("reason")
    by = f" by {who}" if who else ""
    return escape(f"{entry.at:%H:%M:%S.%f} {entry.event}{by}" + (f": {why}" if why else ""))


@review.command("list")
def list_held() -> None:
    """Everything that waits, oldest first."""
    with the_ledger() as ledger:
        held = ledger.review_list()
    table = Table()
    table.add_column("decision", no_wrap=True)  # to be copied
    for name in ("trigger", "route", "why it waits", "for", "expires (UTC)"):
        table.add_column(name)
    now = utc_now()
    for email in held:
        table.add_row(
            email.decision_id,
            email.trigger_name,
            email.route or "–",
            escape(email.reason),
            f"{(now - email.held_since).total_seconds() / 60:.0f} min",
            f"{email.expires_at:%Y-%m-%d %H:%M}",
        )
    console.print(table if held else "nothing waits")


@review.command()
def show(decision_id: str) -> None:
    """What would be sent, and why."""
    with the_ledger() as ledger:
        email = ledger.review_show(decision_id)
        explained = ledger.explain(decision_id=decision_id)
    console.print(
        f"waits    {email.reason}, since {email.held_since:%Y-%m-%d %H:%M} UTC\nnote     {email.note or '–'}\n"
        f"to       {email.to_address}\n"
        f"template {email.template}\nsubject  {email.subject}\ncontent  {email.content}",
        markup=False,
    )
    for found in explained:
        _show(found)


@review.command("edit-note")
def edit_note(
    decision_id: str,
    note: Annotated[str, typer.Option(help="In place of the one before; empty takes it away.")],
) -> None:
    """Write something beside it for whoever looks next. What would be sent does not change."""
    with the_ledger() as ledger:
        ledger.edit_note(decision_id, note, getpass.getuser(), utc_now())
    console.print("noted")


@review.command()
def approve(decision_id: str, why: str = "approved") -> None:
    """Let it go on to the gate, exactly as shown."""
    with the_ledger() as ledger:
        ledger.approve(
            decision_id, ledger.review_show(decision_id).content_sha256, getpass.getuser(), why, utc_now()
        )
    console.print("approved: it goes out as soon as the gate lets it")


@review.command()
def reject(decision_id: str, why: str = "rejected") -> None:
    """Do not send it."""
    with the_ledger() as ledger:
        ledger.reject(decision_id, getpass.getuser(), why, utc_now())
    console.print("rejected")
