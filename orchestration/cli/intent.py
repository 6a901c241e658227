"""`kairos intent`: the model that says who will buy without an email."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from orchestration.cli.errors import FriendlyError
from orchestration.cli.traffic import warehouse
from orchestration.settings import Settings, load_settings

console = Console()
intent = typer.Typer(
    help="Will this visit end with an order by itself? Train the model, and see how good it is.",
    no_args_is_help=True,
)

MODELS = ("+int_intent_features", "+int_customer_states", "+stg_kairos__receipts")
From = Annotated[
    list[Path] | None,
    typer.Option(
        "--from",
        help="Segment calls as .jsonl or .jsonl.gz, instead of the archive.",
        exists=True,
        dir_okay=False,
    ),
]


@intent.command()
def train(from_: From = None) -> None:
    """Learn from finished visits without an email, and publish the weights for both lanes."""
    from orchestration.intent.publish import FILE, renew

    settings = load_settings()
    with warehouse(settings, from_ or [], MODELS) as file:
        done = renew(file, settings.published, _gap(settings), at_once=True)
    if done.refusal:
        raise FriendlyError(f"no model: {done.refusal}")
    console.print(
        f"{done.visits} visits, {done.buyers} with an order: {done.terms} weights in {settings.published / FILE}",
        highlight=False, soft_wrap=True,
    )  # fmt: skip


@intent.command()
def evaluate(
    from_: From = None,
    card: Annotated[
        Path | None, typer.Option(help="Put the figures into this page, between its marks.")
    ] = None,
) -> None:
    """Measure it on visits that came later than those it learned from. Publishes nothing."""
    from orchestration.intent.card import figures_table, fill
    from orchestration.intent.model import TooFewVisits
    from orchestration.intent.publish import measure

    settings = load_settings()
    with warehouse(settings, from_ or [], MODELS) as file:
        try:
            examples, found, model = measure(file, _gap(settings))
        except TooFewVisits as error:
            raise FriendlyError(f"nothing to measure: {error}") from None
    table = Table("after pages", "visits", "buy", "AUC", "95 %", "AP", "Brier skill", "ECE", box=None)
    for one in found:
        low, high = one.auc_interval
        table.add_row(
            str(one.after_pages), str(one.visits), f"{one.base_rate:.1%}", f"{one.auc:.3f}", f"{low:.3f}–{high:.3f}",
            f"{one.average_precision:.3f}", f"{one.brier_skill:.3f}", f"{one.calibration_error:.3f}",
        )  # fmt: skip
    console.print(f"{examples.visit_count} visits, {examples.buyers} with an order", highlight=False)
    console.print(table)
    if card:
        card.write_text(fill(card.read_text(), figures_table(examples, found, model)))


def _gap(settings: Settings) -> float:
    return settings.project_vars()["session_gap_minutes"] * 60
