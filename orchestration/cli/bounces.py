"""`kairos bounces`: mails that come back, read and brought into the log."""

from __future__ import annotations

import json
import ssl
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from collector.bounces.score import Score, score
from orchestration.bounce_mail import (
    CollectorClient,
    Imap,
    Mail,
    Maildir,
    NotAcknowledged,
    Source,
    collect,
    files,
    report_of,
)
from orchestration.cli.errors import FriendlyError
from orchestration.live.lease import utc_now
from orchestration.settings import Settings, load_settings

console = Console()
bounces = typer.Typer(help="Mails that come back: who, hard or soft, and why.", no_args_is_help=True)

_TRY_AGAIN = 75  # EX_TEMPFAIL: a mail server's pipe keeps the mail and comes back


@bounces.command()
def read(
    path: Annotated[
        str, typer.Argument(help="A file, a folder of mails, a Maildir; - reads one mail from stdin.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per mail.")] = False,
) -> None:
    """Show what mails say. Nothing is sent or marked."""
    reports = [report_of(mail) for mail in _mails(path)]
    if as_json:
        for found in reports:
            typer.echo(json.dumps(found, ensure_ascii=False))
        return
    table = Table()
    for name in ("file", "recipient", "kind", "status", "reason"):
        table.add_column(name)
    for found in reports:
        for bounce in found["recipients"]:
            table.add_row(
                found["file"],
                *(str(bounce[name] or "–") for name in ("recipient", "kind", "status", "reason")),
            )
    console.print(table)


@bounces.command("score")
def score_mails(
    folder: Annotated[Path, typer.Argument(help="Has eml/ and labels.csv (file, expected_json).")],
    show_wrong: Annotated[
        bool, typer.Option("--wrong", help="Name the mails that were read wrongly.")
    ] = False,
) -> None:
    """How often reading is right on labelled mails: the half the rules were written with, and the other half."""
    labels, mails = folder / "labels.csv", folder / "eml"
    if not labels.is_file() or not mails.is_dir():
        raise FriendlyError(f"{folder} needs labels.csv and eml/")
    for title, half in (("half a: written with", "a"), ("half b: held out", "b"), ("all", None)):
        _show_score(title, score(labels, mails, half))
    if show_wrong:
        for file, said, was_read in score(labels, mails).wrong:
            console.print(f"{file}: {said}, read as {was_read}", highlight=False)


@bounces.command("collect")
def collect_mails(
    maildir: Annotated[Path | None, typer.Option(help="Instead of bounces.maildir.")] = None,
    stdin: Annotated[bool, typer.Option("--stdin", help="One mail from a mail server's pipe.")] = False,
    every: Annotated[
        float | None, typer.Option(help="Go on, with so many seconds between two rounds.")
    ] = None,
) -> None:
    """Bring what mails say into the log of the running collector, and mark them once it has it.

    Exit code 75 if the collector did not take them: nothing is lost, and a mail server's pipe tries again.
    """
    settings = load_settings()
    client = CollectorClient(_collector_url(settings), settings.key(), utc_now)
    while True:
        try:
            for source in _sources(settings, maildir, stdin):
                done = collect(source.mails(), client.send, settings.key(), settings.bounces.require_proof)
                console.print(_said(done.kinds, done.unproven), highlight=False)
        except NotAcknowledged as error:
            Console(stderr=True).print(f"kairos: {error}", highlight=False)
            if every is None or stdin:
                raise typer.Exit(_TRY_AGAIN) from None
        except OSError as error:
            Console(stderr=True).print(
                f"kairos: the mailbox cannot be read: {type(error).__name__}", highlight=False
            )
            if every is None:
                raise typer.Exit(_TRY_AGAIN) from None
        if every is None or stdin:
            return
        time.sleep(every)


class _Stdin:
    def mails(self):
        yield Mail("stdin", sys.stdin.buffer.read())


def _sources(settings: Settings, maildir: Path | None, stdin: bool) -> list[Source]:
    if stdin:
        return [_Stdin()]
    own = settings.bounces
    folder = maildir or own.maildir
    found: list[Source] = []
    if folder:
        if not folder.is_dir():
            raise FriendlyError(f"there is no Maildir {folder}")
        found.append(Maildir(folder))
    if own.imap.host and not maildir:
        password = own.imap.password.get_secret_value()
        imap = own.imap
        found.append(
            Imap(imap.host, imap.port, imap.username, password, imap.folder, ssl.create_default_context())
        )
    if not found:
        raise FriendlyError(
            "say where bounces arrive: bounces.maildir or bounces.imap.host, --maildir, or --stdin"
        )
    return found


def _mails(path: str) -> list[Mail]:
    if path == "-":
        return list(_Stdin().mails())
    where = Path(path)
    if not where.exists():
        raise FriendlyError(f"there is no {path}")
    return [Mail(file.name, file.read_bytes()) for file in files(where)]


def _collector_url(settings: Settings) -> str:
    """Straight to the port: the public address may lead through a proxy that lets nobody in."""
    host = settings.collector.host
    host = "127.0.0.1" if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host
    return f"http://{host}:{settings.collector.port}"


def _said(kinds: dict[str, int], unproven: int) -> str:
    counts = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())) or "nothing new"
    return counts + (f"; {unproven} without our signature, not counted" if unproven else "")


def _show_score(title: str, found: Score) -> None:
    share = found.right / found.total if found.total else 0.0
    table = Table(
        title=f"{title}: {found.right} of {found.total} mails right ({share:.1%})", title_justify="left"
    )
    read = sorted({pair[1] for pair in found.confusion})
    table.add_column("labelled \\ read as")
    for kind in read:
        table.add_column(kind, justify="right")
    for said in sorted({pair[0] for pair in found.confusion}):
        table.add_row(said, *(str(found.confusion[said, kind] or "·") for kind in read))
    console.print(table)
    if found.nameless:
        console.print(f"{found.nameless} mails in which no recipient was found")
