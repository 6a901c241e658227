"""A recommendation as a change to thresholds.csv that a person reviews."""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Mapping
from pathlib import Path

from orchestration.durable import durable_file

QUOTED = "reason"


class NoSuchRow(ValueError):
    """The seed has no row or no column of this name."""


def row_of(text: str, trigger: str) -> dict[str, str]:
    """The row of one trigger, as written."""
    found = [row for row in csv.DictReader(io.StringIO(text)) if row["trigger_name"] == trigger]
    if len(found) != 1:
        raise NoSuchRow(f"thresholds.csv has {len(found)} rows for {trigger}, one is needed")
    return found[0]


def changed(text: str, trigger: str, values: Mapping[str, str]) -> str:
    """The seed with other values in one row; every other line stays as it is, letter by letter."""
    row = row_of(text, trigger)
    if unknown := values.keys() - row.keys():
        raise NoSuchRow(f"thresholds.csv has no column {', '.join(sorted(unknown))}")
    lines = text.splitlines(keepends=True)
    number = next(n for n, line in enumerate(lines) if line.startswith(f"{trigger},"))
    fields = [_written(name, value) for name, value in {**row, **values}.items()]
    ending = lines[number][len(lines[number].rstrip("\r\n")) :]
    lines[number] = ",".join(fields) + ending
    return "".join(lines)


def _written(name: str, value: str) -> str:
    if name == QUOTED or any(sign in value for sign in ',"\n'):
        return '"' + value.replace('"', '""') + '"'
    return value


def unified_diff(before: str, after: str, path: str) -> str:
    """What `git apply` and `patch -p1` take; empty where nothing changes."""
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{path}", f"b/{path}"
    )
    return "".join(lines)


def write(file: Path, text: str) -> None:
    """The file whole or not at all."""
    with durable_file(file) as target:
        target.write(text.encode())
