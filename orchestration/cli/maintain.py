"""`kairos status`, `send` and `rebuild`."""

from __future__ import annotations

import getpass
import time
from collections.abc import Callable
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from collector.log.file import FileLog
from orchestration.cli.errors import FriendlyError
from orchestration.live.lane import LiveLane
from orchestration.live.lease import WindowLock, read_lease, utc_now
from orchestration.live.models import current_models
from orchestration.live.opening import rebuild_store
from orchestration.live.sending import open_ledger, shop_of
from orchestration.live.statements import Statements
from orchestration.overview import overview
from orchestration.settings import Settings, load_settings

console = Console()
ALIVE_SECONDS = 5  # a running window beats several times a second


def status() -> None:
    """Is anything going out, how fast, and who is the live lane?"""
    settings = load_settings()
    lease = read_lease(settings.lease)
    state = overview(settings.ledger)
    ledger = open_ledger(settings)
    try:
        sending = ledger.sending(utc_now())
    finally:
        ledger.close()
    table = Table(show_header=False)
    alive = lease.run_id and time.time() - lease.beat_at < ALIVE_SECONDS
    table.add_row(
        "live lane",
        f"window {lease.run_id}, {lease.ends_at - time.time():.0f} s left"
        if alive
        else "not running: `kairos up`",
    )
    table.add_row("models", lease.problem or lease.model_version or "–")
    table.add_row(
        "sending",
        f"{sending.state}" + (f" by {sending.who}: {sending.why}" if sending.state == "paused" else ""),
    )
    limit = "no limit" if sending.hourly_limit is None else sending.hourly_limit
    table.add_row("last hour", f"{sending.sent_last_hour} of {limit}")
    table.add_row("emails", f"{state.sent} sent, {state.waiting} waiting, {state.held} held for review")
    table.add_row("candidates", str(state.candidates))
    table.add_row("refused", "\n".join(f"{count} {reason}" for reason, count in state.refused.items()) or "–")
    table.add_row(
        "latency", ", ".join(f"{name} {value:.0f} ms" for name, value in state.latency.items()) or "–"
    )
    table.add_row(
        "waterfall, median ms", ", ".join(f"{name} {value}" for name, value in state.waterfall.items()) or "–"
    )
    console.print(table)


def send(
    pause: Annotated[bool, typer.Option("--pause", help="Stop all sending at once.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on; what expired meanwhile is not sent.")
    ] = False,
    why: Annotated[str, typer.Option(help="Goes into the audit.")] = "by hand",
) -> None:
    """The kill switch. Takes effect before the next email leaves, whatever runs."""
    if pause == resume:
        raise FriendlyError("say either --pause or --resume")
    settings = load_settings()
    ledger = open_ledger(settings)
    try:
        (ledger.pause if pause else ledger.resume)(getpass.getuser(), why, utc_now())
    finally:
        ledger.close()
    console.print("paused: nothing leaves until `kairos send --resume`" if pause else "sending")


def rebuild() -> None:
    """Make the live lane's database anew from the log, the archive and the models.

    Moments that nobody had judged yet are planned; nothing is sent before the next window, and nothing twice.
    """
    settings = load_settings()
    lock = WindowLock(settings.data / "window.lock")
    if not lock.take(0):
        raise FriendlyError("a window of the live lane is running: stop `kairos up` first")
    try:
        models, problem = current_models(settings.dbt_project, settings.compiled)
        if problem:
            console.print(f"[yellow]{problem}[/]")
        with console.status("rebuilding") as spinner:
            found = _rebuild(settings, models, lambda text: spinner.update(text))
    finally:
        lock.release()
    console.print(f"rebuilt {settings.live_db}:", soft_wrap=True)
    console.print(f"{found['events']} events, {found['decisions']} decisions, {found['timers']} timers")


def _rebuild(settings: Settings, models: Statements, progress: Callable[[str], None]) -> dict[str, int]:
    log = FileLog(settings.landing)
    store, missed = rebuild_store(settings, log, models, progress)
    ledger = open_ledger(settings)
    try:
        lane = LiveLane(log, store, models, ledger, shop_of(settings), utc_now)
        lane.facts.catch_up()
        lane.admit(missed)
        return store.rows(
            "select (select count(*) from landing.events) as events, "
            "(select count(*) from live.decided) as decisions, (select count(*) from live.timers) as timers"
        )[0]
    finally:
        ledger.close()
        store.close()
