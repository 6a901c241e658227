"""All commands, gathered."""

from __future__ import annotations

import logging
import sys

import typer
from rich.console import Console

from orchestration.cli import (
    bounces,
    calibrate,
    coupons,
    demo,
    experiments,
    intent,
    maintain,
    people,
    play,
    report,
    run,
    suppressions,
    templates,
    webhooks,
)
from orchestration.cli.errors import FriendlyError
from orchestration.settings import SettingsError

app = typer.Typer(
    name="kairos",
    help="Real-time behavioural email triggers, warehouse-native.\n\n"
    "Start with `kairos demo`, then point your own SDK at `kairos up`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

app.command()(demo.demo)
app.command()(run.up)
app.command(hidden=True)(run.collector)
app.command(hidden=True)(run.window)
app.command()(play.replay)
app.command()(play.simulate)
app.command()(calibrate.calibrate)
app.command()(maintain.rebuild)
app.command()(maintain.status)
app.command()(maintain.send)
app.command()(people.why)
app.command()(experiments.experiments)
app.command()(report.report)
app.add_typer(people.review, name="review")
app.add_typer(templates.templates, name="templates")
app.add_typer(coupons.coupons, name="coupons")
app.add_typer(suppressions.suppressions, name="suppressions")
app.add_typer(webhooks.webhooks, name="webhooks")
app.add_typer(bounces.bounces, name="bounces")
app.add_typer(intent.intent, name="intent")


def main() -> None:
    """Errors people can do something about come as one sentence, not as a traceback."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        app()
    except (SettingsError, FriendlyError) as error:
        Console(stderr=True).print(f"[red]kairos:[/] {error}", highlight=False)
        sys.exit(2)
