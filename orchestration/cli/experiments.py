"""`kairos experiments`: what emails bring over what would have come anyway."""

from __future__ import annotations

import duckdb
import typer
from rich.console import Console

from orchestration.cli.errors import FriendlyError
from orchestration.learning.experiments import in_words, measure, read_people
from orchestration.settings import load_settings

console = Console()


def experiments() -> None:
    """What each experiment says so far: lifts with intervals, or why there are none."""
    try:
        results = measure(read_people(load_settings().warehouse))
    except duckdb.Error as error:
        raise FriendlyError(
            f"the warehouse cannot be read ({str(error).splitlines()[0]}): let the batch lane run once"
        ) from None
    if not results:
        raise FriendlyError("nobody took part in an experiment yet: see dbt_project/seeds/experiments.csv")
    for result in results:
        typer.echo(f"{result.experiment} ({result.kind}): {result.treated} mailed, {result.control} held out")
        for alarm in result.alarms:
            if alarm.rings:
                console.print(f"  [red]{alarm.name}: p = {alarm.p:.2g}[/]", highlight=False)
        for line in in_words(result):
            typer.echo(f"  {line}")
