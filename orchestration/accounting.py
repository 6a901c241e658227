"""acknowledged = loaded + duplicates + quarantined: nothing that was acknowledged may vanish."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from orchestration.live.events import SOURCE


@dataclass(frozen=True)
class Account:
    """Numbers of events; `rest` must be 0."""

    acknowledged: int
    loaded: int
    duplicates: int
    quarantined: int
    ours: int  # receipts and other events of our own

    @property
    def rest(self) -> int:
        return self.acknowledged - self.loaded - self.duplicates - self.quarantined - self.ours

    def as_metadata(self) -> dict[str, int]:
        """For the UI."""
        return {
            "acknowledged": self.acknowledged,
            "loaded": self.loaded,
            "duplicates": self.duplicates,
            "quarantined": self.quarantined,
            "ours": self.ours,
            "rest": self.rest,
        }


def account(archive: Path) -> Account:
    """Count the archive. `acknowledged` counts distinct log positions, so a row archived twice shows as a rest."""
    events = pl.scan_parquet(archive / "events" / "*.parquet")
    quarantine = pl.scan_parquet(archive / "quarantine" / "*.parquet")
    positions = pl.concat([events.select("position"), quarantine.select("position")])
    theirs = events.filter(pl.col("source") != SOURCE)
    kept = theirs.unique(["visitor_id", "source", "message_id"])
    total, loaded, own = (int(frame.select(pl.len()).collect().item()) for frame in (theirs, kept, events))
    return Account(
        acknowledged=int(positions.select(pl.col("position").n_unique()).collect().item()),
        loaded=loaded,
        duplicates=total - loaded,
        quarantined=int(quarantine.select(pl.len()).collect().item()),
        ours=own - total,
    )
