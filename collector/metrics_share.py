"""One scrape tells the sum over all workers: each tells the others its figures in a small file.

A scrape reaches any worker. It adds what the others last told, at most `SECONDS` ago, so figures never
go back between two scrapes that are at least that far apart.
"""

import asyncio
import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec
from prometheus_client import Metric
from prometheus_client.samples import Sample

SECONDS = 0.5  # between two looks at whether there is something new to tell


class Told(NamedTuple):
    """One figure of one worker."""

    family: str
    name: str
    labels: dict[str, str]
    value: float


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[Told]).decode


class MetricsShare:
    """The files of one server's workers, in a folder that lives as long as the server."""

    def __init__(self, folder: Path, worker: int) -> None:
        self.folder = folder  # other things that workers have to agree on may lie there too
        self._path = folder / f"{worker}.json"
        self._last = b""

    def tell(self, families: Iterable[Metric]) -> None:
        """Replace this worker's file if anything changed. A full disk costs figures, never events."""
        text = _encode([Told(family.name, *sample[:3]) for family in families for sample in family.samples])
        if text == self._last:
            return
        fresh = self._path.with_suffix(".new")
        with suppress(OSError):
            fresh.write_bytes(text)
            os.replace(fresh, self._path)
            self._last = text

    async def keep_telling(self, collect: Callable[[], Iterable[Metric]]) -> None:
        """Until cancelled."""
        while True:
            self.tell(collect())
            await asyncio.sleep(SECONDS)

    def added(self, families: Sequence[Metric]) -> list[Metric]:
        """This worker's figures with those of the others added."""
        others = [told for path in self._others() for told in _decode(path.read_bytes())]
        return [_sum(family, [told for told in others if told.family == family.name]) for family in families]

    def _others(self) -> list[Path]:
        return [path for path in sorted(self.folder.glob("*.json")) if path != self._path]


def _sum(family: Metric, others: Sequence[Told]) -> Metric:
    """Figures of the same name and labels become one; of the times of creation the first counts."""
    figures = {_key(sample.name, sample.labels): sample for sample in family.samples}
    for told in others:
        key = _key(told.name, told.labels)
        mine = figures[key].value if key in figures else None
        figures[key] = Sample(told.name, told.labels, _combined(told.name, mine, told.value))
    summed = Metric(family.name, family.documentation, family.type, family.unit)
    summed.samples = list(figures.values())
    return summed


def _key(name: str, labels: dict[str, str]) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(labels.items())


def _combined(name: str, mine: float | None, theirs: float) -> float:
    if mine is None:
        return theirs
    return min(mine, theirs) if name.endswith("_created") else mine + theirs
