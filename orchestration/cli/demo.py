"""`kairos demo`: a shop full of customers, live, with everything to look at."""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table

from orchestration.cli.errors import FriendlyError
from orchestration.live.lease import read_lease
from orchestration.overview import Overview, overview, recent_emails
from orchestration.processes import Processes, ProcessFailed, free_port
from orchestration.publishing import publish_catalogue
from orchestration.settings import Settings, load_settings
from orchestration.system import DAGSTER_PORT, prepare_data, processes, start_collector, start_dagster

console = Console()
UNITS = {"s": 1, "m": 60, "h": 3600}
LEAD_SECONDS = 60  # the shop opens at the latest this long after start, window or not


@dataclass(frozen=True)
class Addresses:
    """Where to look."""

    collector: str
    dagster: str
    inbox: str


def parse_duration(text: str | None) -> float | None:
    """'90', '60s', '5m' or '1h' in seconds."""
    if text is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text.strip())
    if not found:
        raise typer.BadParameter(f"'{text}' is no duration: write 60s, 5m or 1h")
    return float(found[1]) * UNITS[found[2] or "s"]


def demo(
    for_: Annotated[
        str | None,
        typer.Option(
            "--for",
            help="End by itself when the shop has been open this long: 60s, 5m. Without it: until Ctrl-C.",
        ),
    ] = None,
    rate: Annotated[
        float, typer.Option(help="Events per second of the simulated shop.", min=1, max=500)
    ] = 30,
    seed: Annotated[int, typer.Option(help="Another seed, other customers.")] = 1,
) -> None:
    """Run everything at once: collector, Dagster, a simulated shop, and an inbox to read the emails in.

    Writes to data/demo, which is emptied first. Exits with 0 only if emails arrived.
    """
    seconds = parse_duration(for_)
    folder = load_settings().data / "demo"
    shutil.rmtree(folder, ignore_errors=True)
    env = _environment(folder)
    settings = _settings(env)
    with console.status("preparing data and models"):
        prepare_data(settings)
        _bring_catalogue(settings)
    try:
        with processes(settings, env) as parts:
            where = _start(parts, settings, env)
            state = _play(parts, settings, where, seconds, rate, seed)
    except ProcessFailed as error:
        raise FriendlyError(str(error)) from None
    _summary(state, settings)
    if state.sent == 0:
        raise FriendlyError(f"no email arrived: see {settings.data / 'logs'}")


def _bring_catalogue(settings: Settings) -> None:
    """Before anything runs, so that the very first email can show it: the batch lane comes minutes later."""
    from simulator.catalogue_files import write_catalogue

    write_catalogue(settings.catalogue, settings.mail.shop_url)
    publish_catalogue(settings)


def _environment(folder: Path) -> dict[str, str]:
    """The demo's own settings, for all its processes."""
    port = free_port("127.0.0.1", 8080)
    smtp = free_port("127.0.0.1", 1025)
    inbox = free_port("127.0.0.1", 8025)
    return {
        "KAIROS_DATA": str(folder.resolve()),
        "KAIROS_COLLECTOR__PORT": str(port),
        "KAIROS_COLLECTOR__PUBLIC_URL": f"http://127.0.0.1:{port}",
        "KAIROS_MAIL__TRANSPORT": "smtp",
        "KAIROS_MAIL__SMTP__PORT": str(smtp),
        "KAIROS_MAIL__SHOP_URL": f"http://127.0.0.1:{inbox}/shop",
        "KAIROS_DEMO_INBOX_PORT": str(inbox),
    }


def _settings(env: dict[str, str]) -> Settings:
    import os

    os.environ.update(env)
    return load_settings()


def _start(parts: Processes, settings: Settings, env: dict[str, str]) -> Addresses:
    inbox_port, smtp_port = env["KAIROS_DEMO_INBOX_PORT"], str(settings.mail.smtp.port)
    command = [sys.executable, "-m", "simulator.inbox", "--smtp-port", smtp_port, "--http-port", inbox_port]
    parts.start("inbox", [*command, "--folder", str(settings.data / "inbox")])
    dagster = start_dagster(parts, settings, free_port("127.0.0.1", DAGSTER_PORT))
    collector = start_collector(parts, settings)
    inbox = f"http://127.0.0.1:{inbox_port}"
    parts.wait_for_http("inbox", inbox, 60)
    return Addresses(collector, dagster, inbox)


def _play(
    parts: Processes, settings: Settings, where: Addresses, seconds: float | None, rate: float, seed: int
) -> Overview:
    shop = _Shop(where.collector, settings, rate, seed)
    started = time.monotonic()
    with suppress(KeyboardInterrupt), Live(console=console, refresh_per_second=4, transient=False) as live:
        while seconds is None or shop.open_seconds < seconds:
            parts.check()
            shop.open_if(read_lease(settings.lease).is_working or time.monotonic() - started > LEAD_SECONDS)
            live.update(_screen(settings, where, shop, time.monotonic() - started))
            time.sleep(0.5)
    shop.close()
    return overview(settings.ledger)


class _Shop:
    """The simulator in a thread of its own."""

    def __init__(self, url: str, settings: Settings, rate: float, seed: int) -> None:
        keys = {key.kind: key.key for key in settings.collector.keys}
        self._arguments = (url, keys["server"], keys["browser"], rate)
        self._shop_url = settings.mail.shop_url
        self._seed = seed
        self._stop = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread: threading.Thread | None = None
        self._opened = 0.0
        self.accepted = 0
        self.rate = 0.0

    def open_if(self, ready: bool) -> None:
        """Let customers in, once."""
        if ready and self._thread is None:
            self._opened = time.monotonic()
            self._thread = threading.Thread(target=self._run, name="shop", daemon=True)
            self._thread.start()

    @property
    def open_seconds(self) -> float:
        """How long customers have been in; 0 before."""
        return time.monotonic() - self._opened if self._opened else 0.0

    def _run(self) -> None:
        from simulator.live import run

        coroutine = run(
            *self._arguments,
            seed=self._seed,
            demo=True,
            shop_url=self._shop_url,
            on_tick=self._tick,
            stop=self._stop,
        )
        self._loop.run_until_complete(coroutine)

    def _tick(self, counters: object) -> None:
        self.accepted = counters.accepted  # type: ignore[attr-defined]
        self.rate = counters.events_per_second  # type: ignore[attr-defined]

    def close(self) -> None:
        """Close the shop and wait for the last request."""
        if self._thread is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(timeout=15)


def _screen(settings: Settings, where: Addresses, shop: _Shop, elapsed: float) -> Group:
    state = overview(settings.ledger)
    return Group(_numbers(state, shop, elapsed), _emails(settings), _links(settings, where))


def _numbers(state: Overview, shop: _Shop, elapsed: float) -> Table:
    table = Table(title=f"Kairos · {elapsed:.0f} s", expand=False)
    for name in ("events", "events/s", "candidates", "sent", "held", "waiting", "p50", "p99"):
        table.add_column(name, justify="right")
    table.add_column("refused, by reason")
    reasons = "\n".join(f"{count} {reason}" for reason, count in list(state.refused.items())[:6])
    latency = [f"{state.latency[name]:.0f} ms" if name in state.latency else "–" for name in ("p50", "p99")]
    numbers = (shop.accepted, f"{shop.rate:.0f}", state.candidates, state.sent, state.held, state.waiting)
    table.add_row(*map(str, numbers), *latency, reasons or "–")
    return table


def _emails(settings: Settings) -> Table:
    table = Table(title="newest emails: what, why, how fast")
    for name in ("trigger", "route", "why", "ms"):
        table.add_column(name)
    for email in recent_emails(settings.ledger, 6):
        ripened = email["timings"].get("ripened", 0)  # type: ignore[attr-defined]
        table.add_row(
            str(email["trigger_name"]), str(email["route"]), because(email["evidence"]),  # type: ignore[arg-type]
            f"{email['accepted_us'] / 1000 - ripened * 1000:.0f}",  # type: ignore[operator]
        )  # fmt: skip
    return table


def because(evidence: dict[str, object]) -> str:
    """The figures behind a decision, in a line."""
    said = {
        "item_count": "{:.0f} items",
        "cart_value": "worth {:.2f}",
        "scroll_percent": "scrolled {:.0f} %",
        "engaged_seconds": "{:.0f} s on the page",
        "interaction_count": "{:.0f} features tried",
    }
    parts = [text.format(evidence[name]) for name, text in said.items() if evidence.get(name)]
    return ", ".join(parts)


def _links(settings: Settings, where: Addresses) -> Panel:
    lease = read_lease(settings.lease)
    state = (
        "live lane running" if lease.is_working else "Dagster is starting the live lane (about half a minute)"
    )
    text = f"{state}\nDagster UI  {where.dagster}\ninbox       {where.inbox}\ncollector   {where.collector}\nCtrl-C ends everything"
    return Panel(text + (f"\n[red]{lease.problem[:200]}[/]" if lease.problem else ""), expand=False)


def _summary(state: Overview, settings: Settings) -> None:
    table = Table(title="what was sent")
    table.add_column("trigger")
    table.add_column("emails", justify="right")
    for trigger, count in sorted(state.by_trigger.items()):
        table.add_row(trigger, str(count))
    console.print(table)
    latency = ", ".join(f"{name} {value:.0f} ms" for name, value in state.latency.items())
    console.print(
        f"{state.candidates} candidates, {state.sent} sent, {state.held} held; from moment to accepted: {latency or '–'}"
    )
    console.print(f"everything is in {settings.data}; ask `KAIROS_DATA={settings.data} kairos why CUSTOMER`")
