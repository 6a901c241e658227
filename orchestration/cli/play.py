"""`kairos replay` and `kairos simulate`: recorded and invented traffic."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from orchestration.cli.demo import parse_duration
from orchestration.cli.errors import FriendlyError
from orchestration.live.evaluate import Overrides, UnknownSetting
from orchestration.settings import Settings, load_settings

console = Console()


def parse_overrides(texts: list[str]) -> Overrides:
    """`thresholds.cart_abandonment.min_seconds=300` as (seed, row, column) -> value."""
    found = {}
    for text in texts:
        name, sign, value = text.partition("=")
        parts = name.split(".")
        if not sign or len(parts) != 3:
            raise typer.BadParameter(
                f"'{text}': write SEED.ROW.COLUMN=VALUE, as in thresholds.cart_abandonment.min_seconds=300"
            )
        found[(parts[0], parts[1], parts[2])] = value
    return found


def replay(
    files: Annotated[
        list[Path], typer.Argument(help="Segment calls as .jsonl or .jsonl.gz.", exists=True, dir_okay=False)
    ],
    out: Annotated[Path, typer.Option(help="Folder for candidates.csv, sends.csv and the emails.")] = Path(
        "data/replay"
    ),
    identify: Annotated[
        bool, typer.Option("--identify", help="Give each anonymous visitor an address and consent.")
    ] = False,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="Override one seed value for this replay: thresholds.cart_abandonment.min_seconds=300",
        ),
    ] = None,
    experiments: Annotated[
        bool,
        typer.Option("--experiments", help="Hold out whom the experiments hold out; by default nobody is."),
    ] = False,
    live: Annotated[bool, typer.Option("--live", help="Send it to the running collector instead.")] = False,
    speed: Annotated[float, typer.Option(help="With --live: how much faster than recorded.", min=0.01)] = 1.0,
) -> None:
    """Run recorded traffic through the whole pipeline, on a simulated clock as fast as it goes.

    Two replays of the same files give identical results. No email leaves: they are written as .eml files.
    """
    if live:
        if set_:
            raise FriendlyError(
                "--set is for simulated replays: edit dbt_project/seeds for the running system"
            )
        _replay_live(files, identify, speed)
        return
    from orchestration.arrivals import read_calls
    from orchestration.replay import Replay

    out.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    try:
        run = Replay(load_settings(), out, parse_overrides(set_ or []), experiments=experiments)
    except UnknownSetting as error:
        raise FriendlyError(str(error)) from None
    with _progress() as progress:
        task = progress.add_task("replaying", total=None)
        result = run.run(read_calls(files, identify), lambda count: progress.advance(task, count))
        run.close()
    seconds = time.perf_counter() - started
    console.print(
        f"{result.events} events, {result.quarantined} quarantined, {len(result.decisions)} candidates, "
        f"{result.sent} sent in {seconds:.1f} s\n{out / 'candidates.csv'}\n{out / 'sends.csv'}\n{out / 'emails'}"
    )


def _replay_live(files: list[Path], identify: bool, speed: float) -> None:
    from orchestration.replay_live import send_live

    settings = load_settings()
    _must_answer(settings)
    with _progress() as progress:
        task = progress.add_task("sending", total=None)
        count = asyncio.run(send_live(settings, files, identify, speed, lambda: progress.advance(task, 1)))
    console.print(f"{count} events sent to http://{settings.collector.host}:{settings.collector.port}")


def simulate(
    out: Annotated[
        Path | None, typer.Option(help="Write Segment calls to this .jsonl file, ground truth beside it.")
    ] = None,
    events: Annotated[int, typer.Option(help="How many, with --out.", min=1)] = 100_000,
    rate: Annotated[float, typer.Option(help="Events per second, without --out.", min=0.1)] = 50,
    for_: Annotated[
        str | None, typer.Option("--for", help="End after this long, without --out: 60s, 5m.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same traffic.")] = 1,
    start: Annotated[
        datetime, typer.Option(help="First day of the simulated traffic (UTC), with --out.")
    ] = datetime(2026, 1, 5),
) -> None:
    """A shop full of customers: to a file with known truth, or live to the running collector."""
    from simulator.catalogue_files import write_catalogue

    settings = load_settings()
    if write_catalogue(settings.catalogue):
        console.print(f"the shop's catalogue is in {settings.catalogue}; the next batch publishes it")
    if out is not None:
        _simulate_file(out, events, seed, start.replace(tzinfo=UTC))
        return
    from simulator.live import run

    keys = _keys(settings)
    _must_answer(settings)
    counters = asyncio.run(
        run(settings.collector.public_url, keys["server"], keys["browser"], rate, parse_duration(for_), seed)
    )
    console.print(f"{counters.accepted} events accepted, {counters.refused} refused")


def _keys(settings: Settings) -> dict[str, str]:
    """A server key for people and orders, a browser key for everything else."""
    keys = {key.kind: key.key for key in settings.collector.keys}
    if len(keys) < 2:
        raise FriendlyError("the simulated shop needs a server key and a browser key in collector.keys")
    return keys


def _must_answer(settings: Settings) -> None:
    url = f"http://{settings.collector.host}:{settings.collector.port}/healthz"
    try:
        httpx.get(url, timeout=5, trust_env=False)
    except httpx.TransportError:
        raise FriendlyError(f"no collector at {url}: start it with `kairos up`") from None


def _simulate_file(out: Path, events: int, seed: int, start: datetime) -> None:
    from simulator.generate import generate

    truth = out.with_suffix(".truth.csv")
    out.parent.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    with Progress() as progress:
        generate(events, seed, start, out, truth, progress=progress)
    seconds = time.perf_counter() - started
    console.print(f"{events} events in {seconds:.1f} s ({events / seconds:,.0f}/s)\n{out}\n{truth}")


def _progress() -> Progress:
    return Progress(
        SpinnerColumn(), TextColumn("{task.description}"), TextColumn("{task.completed:,.0f} events"), TimeElapsedColumn(),
        console=console, transient=True,
    )  # fmt: skip
