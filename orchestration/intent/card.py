"""The measured part of docs/intent-model.md."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from orchestration.intent.evaluate import Figures
from orchestration.intent.examples import Examples
from orchestration.intent.model import Model

BEGIN, END = "<!-- measured -->", "<!-- /measured -->"
STRONGEST = 6


def figures_table(examples: Examples, found: Sequence[Figures], model: Model) -> str:
    """Markdown: figures after so many pages, then the terms that weigh most."""
    lines = [
        f"{examples.visit_count} visits, {examples.buyers} of them with an order; "
        f"the figures are of visits later than those the model learned from.",
        "",
        "| after pages | visits | buy | AUC | 95 % | average precision | Brier skill | calibration error |",
        "|---|---|---|---|---|---|---|---|",
        *(_row(one) for one in found),
        "",
        "What weighs most: " + "; ".join(_strongest(model)) + ".",
    ]
    return "\n".join(lines)


def fill(page: str, text: str) -> str:
    """The page with `text` between its marks; raises ValueError where it has none."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the page needs a line {BEGIN} and a line {END}")
    return f"{head}{BEGIN}\n{text}\n{END}{tail}"


def _row(one: Figures) -> str:
    low, high = one.auc_interval
    return (
        f"| {one.after_pages} | {one.visits} | {one.base_rate:.1%} | {one.auc:.3f} | {low:.3f} to {high:.3f} "
        f"| {one.average_precision:.3f} | {one.brier_skill:.3f} | {one.calibration_error:.3f} |"
    )


def _strongest(model: Model) -> list[str]:
    table = model.table("").filter(feature="page")
    rows = sorted(table.iter_rows(named=True), key=lambda row: -abs(row["weight"]))[:STRONGEST]
    pages = [f"`{row['page']}` {row['weight']:+.2f}" for row in rows]
    spans = []
    weights = iter((model.slope * model.weights).tolist())
    for name, edges in zip(model.names, model.edges, strict=True):
        own = np.array([next(weights) for _ in range(len(edges) + 1)])
        spans.append((float(own.max() - own.min()), name))
    figures = [f"{name} (range {span:.2f})" for span, name in sorted(spans, reverse=True)[:STRONGEST]]
    return pages + figures
