"""How often the reader is right, on mails whose meaning somebody wrote down."""

import csv
import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from collector.bounces.read import read_mail
from collector.bounces.verdict import Kind

_NOTHING = ("delivered", "vacation")


@dataclass
class Score:
    """Mails by what they say and what was read: `confusion[said, read]`."""

    confusion: Counter[tuple[str, str]] = field(default_factory=Counter)
    wrong: list[tuple[str, str, str]] = field(default_factory=list)  # file, said, read
    nameless: int = 0  # mails in which no recipient was found

    @property
    def total(self) -> int:
        return sum(self.confusion.values())

    @property
    def right(self) -> int:
        return sum(count for (said, read), count in self.confusion.items() if said == read)


def score(labels: Path, mails: Path, half: str | None = None) -> Score:
    """Compare with labels.csv. `half`: "a" or "b" takes one random half of the files, always the same."""
    found = Score()
    for file, said in labelled(labels):
        if half and half_of(file) != half:
            continue
        reading = read_mail((mails / file).read_bytes())
        kinds = [bounce.kind for bounce in reading.bounces]
        pair = _together(said), _together(kinds)
        found.confusion[pair] += 1
        found.nameless += any(bounce.recipient is None for bounce in reading.bounces)
        if pair[0] != pair[1]:
            found.wrong.append((file, *pair))
    return found


def labelled(labels: Path) -> Iterator[tuple[str, list[Kind]]]:
    """(file, kind per recipient)."""
    with labels.open(newline="") as lines:
        for row in csv.DictReader(lines):
            yield row["file"], [kind_of(label) for label in json.loads(row["expected_json"])]


def kind_of(label: dict[str, Any]) -> Kind:
    """A label in our four words."""
    if label.get("feedbacktype"):
        return "complaint"
    if label.get("hardbounce"):
        return "hard"
    return "none" if label.get("reason") in _NOTHING else "soft"


def half_of(file: str) -> str:
    """A random half that stays the same."""
    return "ab"[int(hashlib.sha256(f"half{file}".encode()).hexdigest(), 16) % 2]


def _together(kinds: list[Kind]) -> str:
    return "+".join(sorted(set(kinds)))
