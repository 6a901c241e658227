"""`kairos webhooks`: what a mail provider's report means, without sending it anywhere."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from collector.webhooks.normalise import PROVIDERS, UnknownProvider, normalise
from collector.webhooks.vocabulary import Ignored, MailEvent, Malformed
from orchestration.cli.errors import FriendlyError

console = Console()
webhooks = typer.Typer(help="What mail providers report about our emails.", no_args_is_help=True)


@webhooks.command("normalise")
def normalise_file(
    provider: Annotated[
        str, typer.Argument(help="Such as postmark; `kairos webhooks providers` lists them.")
    ],
    file: Annotated[str, typer.Argument(help="A JSON object, a JSON list, or one per line; - reads stdin.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per event.")] = False,
) -> None:
    """Show the events that a payload means. Exit code 2 if something in it is no payload of this provider."""
    problems = []
    found: list[MailEvent | Ignored] = []
    for number, payload in _payloads(_read(file)):
        try:
            found += normalise(provider, payload)
        except UnknownProvider as error:
            raise FriendlyError(str(error)) from None
        except Malformed as error:
            problems.append(f"payload {number}: {error}")
    _show(found, as_json)
    if problems:
        raise FriendlyError("; ".join(problems[:5]))


@webhooks.command()
def providers() -> None:
    """The providers whose reports are understood."""
    for name in sorted(PROVIDERS):
        console.print(name)


def _read(file: str) -> str:
    try:
        raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise FriendlyError(f"{file} cannot be read: {error.strerror}") from None
    return raw.decode("utf-8-sig", "replace")


def _payloads(text: str) -> Iterator[tuple[int, Any]]:
    """(number, payload): the whole text if it is JSON, else each line. Raises FriendlyError."""
    if not text.strip():
        raise FriendlyError("nothing was given: a JSON object, a list, or one per line is expected")
    try:
        yield 1, json.loads(text)
        return
    except (ValueError, RecursionError) as error:
        problem = error
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if len(lines) < 2:
        raise FriendlyError(f"not JSON: {problem}")
    for number, line in lines:
        try:
            payload = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise FriendlyError(f"line {number} is not JSON: {error}") from None
        yield number, payload


def _show(found: list[MailEvent | Ignored], as_json: bool) -> None:
    if as_json:
        for each in found:
            typer.echo(json.dumps(as_dict(each), ensure_ascii=False, default=str))
        return
    table = Table()
    for name in ("event", "hard/soft", "recipient", "when (UTC)", "why"):
        table.add_column(name)
    for each in found:
        if isinstance(each, Ignored):
            table.add_row("ignored", "", "", "", each.because)
        else:
            why = each.reason or each.reject_reason or ""
            when = f"{each.occurred_at:%Y-%m-%d %H:%M:%S}" if each.occurred_at else ""
            table.add_row(each.event_type, each.hardness or "", each.recipient or "", when, why)
    console.print(table)


def as_dict(event: MailEvent | Ignored) -> dict[str, Any]:
    """For JSON: every key always present; what is ignored has `event_type` null and says why."""
    if isinstance(event, Ignored):
        return {
            "provider": event.provider, "event_type": None, "ignored": True, "reason": event.because, "raw": event.raw
        }  # fmt: skip
    at = event.occurred_at
    return {**asdict(event), "occurred_at": _iso(at) if at else None, "ignored": False}


def _iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
