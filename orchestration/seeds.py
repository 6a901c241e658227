"""The rows marketers edit, with the place of each, for checks and previews."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from senders.check import Branch, Subject
from senders.rendering.flatten import Place


def branches(seeds: Path) -> list[Branch]:
    """Every row of routes.csv, then every row of sequences.csv."""
    coupons = {row["offer"] for _, row in _rows(seeds / "offers.csv")}
    return [
        Branch(
            row["trigger_name"],
            row["route"],
            row["template"],
            place,
            int(row.get("touch") or 1),
            row["offer"] in coupons,
        )
        for name in ("routes", "sequences")
        for place, row in _rows(seeds / f"{name}.csv")
    ]


def subjects(seeds: Path) -> list[Subject]:
    """Every row of variants.csv."""
    return [
        Subject(row["trigger_name"], row["route"], row["subject"], place)
        for place, row in _rows(seeds / "variants.csv")
    ]


def _rows(path: Path) -> Iterator[tuple[Place, dict[str, str]]]:
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        for row in reader:
            yield Place((f"seeds/{path.name}", reader.line_num)), row
