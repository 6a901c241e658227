"""`kairos suppressions`: who is not mailed, and why."""

from __future__ import annotations

import csv
import getpass
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, TextIO

import typer
from rich.console import Console
from rich.table import Table

from collector.log import FileLog
from orchestration.cli.errors import FriendlyError
from orchestration.cli.people import the_ledger
from orchestration.live.events import own_event
from orchestration.live.lease import utc_now
from orchestration.settings import load_settings
from senders.addresses import is_deliverable
from senders.ledger.facts import BY_WEIGHT
from senders.ledger.ledger import Ledger
from senders.ledger.suppressions import Suppressed, SuppressionError

console = Console()
suppressions = typer.Typer(help="Who is not mailed, and why.", no_args_is_help=True)

_COLUMNS = ("address", "person", "address_hash", "reason", "since", "until", "source")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

Who = Annotated[str, typer.Argument(help="An email address, or a customer id.")]


@suppressions.command("list")
def list_suppressed(
    who: Annotated[
        str | None, typer.Argument(help="An email address or a customer id; everybody without it.")
    ] = None,
    limit: Annotated[int, typer.Option(help="Newest to show.")] = 50,
) -> None:
    """Who is suppressed, newest first. Addresses are kept as keyed hashes and shown where an email still knows them."""
    with the_ledger() as ledger:
        found = ledger.suppressions(utc_now(), **_named(who)) if who else ledger.suppressions(utc_now())
    if not found:
        console.print(f"{who} is not suppressed" if who else "nobody is suppressed", highlight=False)
        return
    table = Table(title=f"{len(found)} suppressions", title_justify="left")
    for name in ("who", "reason", "since (UTC)", "until (UTC)", "source"):
        table.add_column(name)
    for one in found[:limit]:
        table.add_row(*_shown(one))
    console.print(table)


@suppressions.command()
def add(
    who: Who,
    reason: Annotated[str, typer.Option(help=f"One of {', '.join(BY_WEIGHT)}.")] = "objection",
    why: Annotated[str, typer.Option(help="For the audit.")] = "by hand",
) -> None:
    """Do not mail this address or customer any more; holds at once."""
    _check_reason(reason)
    now = utc_now()
    with the_ledger() as ledger:
        ledger.suppress_by_hand(reason, now, f"{getpass.getuser()}: {why}", **_named(who))
    if "@" not in who:
        _tell_models("Suppression Added", who, reason, now)
    console.print("suppressed")


@suppressions.command()
def remove(
    who: Who,
    why: Annotated[str, typer.Option(help="For the audit.")],
    double_opt_in: Annotated[
        bool, typer.Option("--double-opt-in", help="They confirmed anew, after they had unsubscribed.")
    ] = False,
) -> None:
    """Mail them again. A complaint or an objection is never lifted, an unsubscribe only by a new opt-in."""
    now = utc_now()
    with the_ledger() as ledger:
        try:
            count = ledger.lift_suppression(
                getpass.getuser(), why, now, has_opted_in=double_opt_in, **_named(who)
            )
        except SuppressionError as error:
            raise FriendlyError(str(error)) from None
    if count and "@" not in who:
        _tell_models("Suppression Lifted", who, "by hand", now)
    console.print(f"{count} lifted" if count else "nothing to lift")


@suppressions.command("export")
def export(
    file: Annotated[str, typer.Argument(help="A CSV file to write; - is stdout.")],
) -> None:
    """Write everybody as CSV. A cell that a spreadsheet would take for a formula gets ' in front."""
    with the_ledger() as ledger:
        found = ledger.suppressions(utc_now())
    if file == "-":
        _write(found, sys.stdout)
        return
    with Path(file).open("w", newline="", encoding="utf-8") as lines:
        _write(found, lines)
    console.print(f"{len(found)} suppressions in {file}", highlight=False)


@suppressions.command("import")
def import_list(
    file: Annotated[
        str,
        typer.Argument(help="A CSV file with a header: address (or email), person, address_hash; reason."),
    ],
    reason: Annotated[str, typer.Option(help="Where the file names none.")] = "unsubscribe",
) -> None:
    """Suppress everybody in a list, such as another system's export. It lifts nothing; unusable rows are named."""
    _check_reason(reason)
    path = Path(file)
    if file != "-" and not path.is_file():
        raise FriendlyError(f"there is no {file}")
    lines = sys.stdin if file == "-" else path.open(newline="", encoding="utf-8-sig", errors="replace")
    with the_ledger() as ledger, lines:
        taken, refused = _import(ledger, lines, reason, path.name)
    console.print(f"{taken} suppressed, {len(refused)} rows unusable", highlight=False)
    for problem in refused[:20]:
        console.print(f"  {problem}", highlight=False, markup=False)
    if refused:
        raise typer.Exit(1)


def _import(ledger: Ledger, lines: TextIO, reason: str, source: str) -> tuple[int, list[str]]:
    now, taken, refused = utc_now(), 0, []
    rows = csv.DictReader(lines)
    names = {(name or "").strip().lower(): name for name in rows.fieldnames or []}
    if not {"address", "email", "person", "address_hash"} & names.keys():
        raise FriendlyError(
            "the first line must name the columns: address (or email), person or address_hash"
        )
    for number, row in enumerate(rows, 2):
        cells = {
            name: _unquoted(row.get(own) or "")
            for name, own in names.items()
            if isinstance(row.get(own), str)
        }
        problem = _import_row(ledger, cells, reason, now, f"import of {source}")
        if problem:
            refused.append(f"line {number}: {problem}")
        else:
            taken += 1
    return taken, refused


def _import_row(ledger: Ledger, cells: dict[str, str], reason: str, now: datetime, source: str) -> str | None:
    """Suppress one row; returns what is wrong with it. Never says an address."""
    why = cells.get("reason") or reason
    address = cells.get("address") or cells.get("email")
    person, hashed = cells.get("person"), cells.get("address_hash")
    if why == "soft_bounces":
        return "soft bounces pass by themselves, and are not imported"
    if why not in BY_WEIGHT:
        return f"unknown reason {why[:30]!r}"
    if address and not is_deliverable(address):
        return "not an address"
    if not (address or person or hashed):
        return "names nobody"
    ledger.suppress_by_hand(
        why, now, source, address=address or None, person=None if address else person, hashed=hashed
    )
    return None


def _write(found: list[Suppressed], lines: TextIO) -> None:
    writer = csv.writer(lines)
    writer.writerow(_COLUMNS)
    for one in found:
        until = f"{one.until:%Y-%m-%dT%H:%M:%SZ}" if one.until else ""
        row = (one.address or "", one.person or "", one.address_hash or "", one.reason,
               f"{one.since:%Y-%m-%dT%H:%M:%SZ}", until, one.source)  # fmt: skip
        writer.writerow([_safe(cell) for cell in row])


def _safe(cell: str) -> str:
    return "'" + cell if cell.startswith(_FORMULA) else cell


def _unquoted(cell: str) -> str:
    cell = cell.strip()
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(_FORMULA) else cell


def _shown(one: Suppressed) -> Iterator[str]:
    yield one.address or one.person or f"address #{(one.address_hash or '')[:12]}…"
    yield one.reason
    yield f"{one.since:%Y-%m-%d %H:%M}"
    yield f"{one.until:%Y-%m-%d %H:%M}" if one.until else "for good"
    yield one.source


def _named(who: str) -> dict[str, str]:
    return {"address": who} if "@" in who else {"person": who}


def _check_reason(reason: str) -> None:
    if reason not in BY_WEIGHT:
        raise FriendlyError(f"no reason {reason!r}: there are {', '.join(BY_WEIGHT)}")


def _tell_models(event: str, person: str, reason: str, now: datetime) -> None:
    """The models know customers; what concerns a mailbox is the gate's business alone."""
    log = FileLog(load_settings().landing)
    id = f"{event.lower().replace(' ', '-')}.{person[:100]}.{now:%Y%m%dT%H%M%S%f}"
    try:
        log.append(
            [
                own_event(
                    event,
                    message_id=id,
                    at=now,
                    anonymous_id=None,
                    user_id=person,
                    properties={"reason": reason},
                )
            ]
        )
    finally:
        log.close()
