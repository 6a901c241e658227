"""`kairos calibrate`: what the shop's own traffic says about a threshold, and the change that follows from it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from orchestration.cli.errors import FriendlyError
from orchestration.cli.traffic import warehouse
from orchestration.settings import Settings, load_settings

if TYPE_CHECKING:
    import duckdb

    from orchestration.calibration.calibrate import Calibration
    from orchestration.calibration.hazard import Estimate

console = Console(soft_wrap=True)


class Trigger(StrEnum):
    """Whose threshold."""

    cart_abandonment = "cart_abandonment"
    time_on_page = "time_on_page"
    page_depth = "page_depth"
    feature_exploration = "feature_exploration"


def calibrate(
    trigger: Annotated[Trigger, typer.Argument(help="Whose threshold.")],
    from_: Annotated[
        list[Path] | None,
        typer.Option(
            "--from",
            help="Segment calls as .jsonl or .jsonl.gz, instead of the archive.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    tolerance: Annotated[
        float | None,
        typer.Option(
            help="How many may buy anyway; 0.10 if the first email carries a coupon, else 0.25.", min=0, max=1
        ),
    ] = None,
    min_items: Annotated[
        float | None, typer.Option(help="Carts of so many items; without it, as in the seed.", min=1)
    ] = None,
    within_hours: Annotated[
        float, typer.Option(help="An order so long after the moment counts as bought anyway.", min=0.1)
    ] = 2.0,
    write: Annotated[
        bool, typer.Option("--write", help="Change thresholds.csv instead of printing the patch.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option(help="The HTML report; without it, into data/calibration.")
    ] = None,
) -> None:
    """Who would buy anyway? Measured over a grid of thresholds, on people who got no email.

    Prints the change to thresholds.csv as a patch that `git apply` takes, and writes a report with plots.
    Exit code 1 where the data do not carry a recommendation.
    """  # fmt: skip
    from orchestration.calibration.calibrate import calibrate as measure

    settings = load_settings()
    with _traffic(settings, from_ or []) as connection:
        found = measure(
            connection, settings.dbt_project / "seeds", trigger, tolerance, min_items, timedelta(hours=within_hours)
        )  # fmt: skip
    _show(found)
    _report(found, report or settings.data / "calibration" / f"{trigger}.html")
    if found.recommendation is None:
        console.print(f"[yellow]no recommendation:[/] {found.refusal}", highlight=False)
        raise typer.Exit(1)
    _propose(found, settings, write)


@contextmanager
def _traffic(settings: Settings, files: list[Path]) -> Iterator[duckdb.DuckDBPyConnection]:
    from orchestration.calibration.moments import NotBuilt, open_warehouse
    from orchestration.calibration.warehouse import MODELS

    with warehouse(settings, files, MODELS) as file:
        try:
            connection = open_warehouse(file)
        except NotBuilt as error:
            raise FriendlyError(f"{error}: wait for the next batch, or use --from") from None
        with connection:
            yield connection


def _show(found: Calibration) -> None:
    seen = found.observed
    span = f"{seen.since:%Y-%m-%d} to {seen.until:%Y-%m-%d}" if seen.since else "nothing has landed"
    console.print(
        f"{found.grid.trigger}: {seen.visitors} visitors, {seen.orders} orders, {span}\n"
        f"bought anyway: an order within {found.within.total_seconds() / 3600:g} h without an email; "
        f"tolerated {found.tolerance:.0%}",
        highlight=False,
    )
    for group in dict.fromkeys(cell.group for cell in found.cells):
        console.print(_table(found, group))


def _table(found: Calibration, group: float | None) -> Table:
    title = "" if group is None else f"{group:g} or more items"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name in (found.grid.unit, "buy anyway", "95 %", "return", found.grid.moment, "people", "a week"):
        table.add_column(name, justify="right")
    chosen = found.recommendation.chosen if found.recommendation else None
    for cell in found.cells_of(group):
        table.add_row(*_cells(cell), style="bold green" if cell == chosen else None)
    return table


def _cells(cell: Estimate) -> list[str]:
    if not cell.moments:
        return [f"{cell.value:g}", "–", "–", "–", "0", str(cell.audience), f"{cell.per_week:.1f}"]
    low, high = cell.interval
    return [
        f"{cell.value:g}", f"{cell.share:.1%}", f"{low:.1%}–{high:.1%}", f"{cell.return_share:.1%}",
        str(cell.moments), str(cell.audience), f"{cell.per_week:.1f}",
    ]  # fmt: skip


def _report(found: Calibration, file: Path) -> None:
    from orchestration.calibration.report import html

    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(html(found))
    console.print(f"report: {file}", highlight=False)


def _propose(found: Calibration, settings: Settings, write: bool) -> None:
    from orchestration.calibration.calibrate import seed_change
    from orchestration.calibration.seed_patch import unified_diff
    from orchestration.calibration.seed_patch import write as write_seed

    seeds = settings.dbt_project / "seeds"
    before, after = seed_change(found, seeds)
    assert found.recommendation is not None
    console.print(f"[green]recommended:[/] {found.recommendation.reason}", highlight=False)
    if write:
        write_seed(seeds / "thresholds.csv", after)
        console.print(f"written: {seeds / 'thresholds.csv'}; look at it with `git diff`", highlight=False)
    else:
        # Plain, so that it can be piped: `kairos calibrate … | git apply` must find a patch, not colours.
        typer.echo(unified_diff(before, after, f"{settings.dbt_project.name}/seeds/thresholds.csv"), nl=False)
