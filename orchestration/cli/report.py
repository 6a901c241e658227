"""`kairos report`: what the emails bring, as one page."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from orchestration.cli.errors import FriendlyError
from orchestration.live.lease import utc_now
from orchestration.settings import load_settings

console = Console()


def report(
    out: Annotated[
        Path | None, typer.Option(help="The file; data/report.html without.", dir_okay=False)
    ] = None,
    open_: Annotated[bool, typer.Option("--open", help="Show it in the browser.")] = False,
) -> None:
    """What the emails bring: one HTML file to look at, which loads nothing from anywhere."""
    from orchestration.outcomes.figures import read_figures
    from orchestration.outcomes.headlines import as_metadata
    from orchestration.outcomes.page import write_report

    settings = load_settings()
    path = out or settings.data / "report.html"
    figures = read_figures(settings.warehouse, settings.ledger)
    try:
        found = write_report(figures, utc_now(), path)
    except OSError as error:
        raise FriendlyError(f"{path} cannot be written: {error.strerror}") from None
    for headline, said in zip(found, as_metadata(found).values(), strict=True):
        console.print(f"{headline.title}: {said}", markup=False, highlight=False, soft_wrap=True)
    if figures.problem:
        console.print(
            f"some of it could not be read: {figures.problem}", markup=False, highlight=False, soft_wrap=True
        )
    console.print(str(path), markup=False, highlight=False, soft_wrap=True)
    if open_:
        webbrowser.open(path.resolve().as_uri())
