"""`kairos up`: collector and Dagster, for real use."""

from __future__ import annotations

import time
from typing import Annotated

import typer
from rich.console import Console

from orchestration.cli.errors import FriendlyError
from orchestration.processes import ProcessFailed, port_is_free
from orchestration.settings import Settings, load_settings
from orchestration.system import DAGSTER_PORT, prepare_data, processes, start_collector, start_dagster

console = Console()


def collector() -> None:
    """Run the collector alone, in the foreground."""
    from collector.server import serve

    settings = load_settings()
    serve(collector_config(settings), settings.landing)


def window(
    seconds: Annotated[float | None, typer.Option(help="How long; by default live.window_seconds.")] = None,
) -> None:
    """Run one window of the live lane without Dagster, in the foreground."""
    import signal
    from uuid import uuid4

    from orchestration.live.window import Window

    running = Window(load_settings(), f"window-{uuid4()}", seconds)
    signal.signal(signal.SIGTERM, lambda *_: running.stop())
    signal.signal(signal.SIGINT, lambda *_: running.stop())
    running.run()


def collector_config(settings: Settings):
    """What the collector needs to know."""
    from collector.config import CollectorConfig, WriteKey
    from orchestration.links import link_secrets

    own = settings.collector
    keys = tuple(
        WriteKey(key.key, key.name, key.kind, () if key.origins == ("*",) else key.origins)
        for key in own.keys
    )
    return CollectorConfig(
        write_keys=keys,
        link_secrets=link_secrets(settings),
        destinations=settings.destinations,
        home_url=settings.mail.shop_url,
        public_url=own.public_url,
        host=own.host,
        port=own.port,
        workers=own.workers,
        requests_per_second=own.requests_per_second,
    )


def up(
    port: Annotated[int, typer.Option(help="Port of the Dagster UI.")] = DAGSTER_PORT,
) -> None:
    """Start the collector and Dagster and keep them running until Ctrl-C.

    Settings come from kairos.toml (see kairos.toml.example) and KAIROS_… variables.
    """
    settings = load_settings()
    for name, number in (("collector", settings.collector.port), ("Dagster UI", port)):
        if not port_is_free("127.0.0.1", number):
            raise FriendlyError(f"port {number} for the {name} is taken: set another, or stop what uses it")
    with console.status("preparing data and models"):
        prepare_data(settings)
    try:
        with processes(settings) as parts:
            url = start_collector(parts, settings)
            ui = start_dagster(parts, settings, port)
            console.print(
                f"collector   {url}   (write keys: {', '.join(key.name for key in settings.collector.keys)})"
            )
            console.print(f"Dagster UI  {ui}   (the first window starts within half a minute)")
            console.print(f"mail        {settings.mail.transport}\nstop with Ctrl-C")
            while True:
                parts.check()
                time.sleep(1)
    except KeyboardInterrupt:
        console.print("stopped")
    except ProcessFailed as error:
        raise FriendlyError(str(error)) from None
