"""The warm database from the two truths: the archive and log for what happened, the models for the rest."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from collector.log.base import EventLog
from orchestration.archive import TAIL
from orchestration.live.content import import_content
from orchestration.live.decode import decode
from orchestration.live.evaluate import Overrides, Row, evaluate_everyone, forget, load_models
from orchestration.live.lane import just_before
from orchestration.live.profiles import import_profiles
from orchestration.live.statements import Statements
from orchestration.live.store import LiveStore

CAP_DAYS = 7


def rebuild(
    path: Path,
    log: EventLog,
    archive: Path,
    profiles: Path,
    published: Path,
    statements: Statements,
    horizon: timedelta,
    overrides: Overrides | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> tuple[LiveStore, list[Row]]:
    """Build the file anew and leave it open; returns it with all decisions of the last days, oldest first.

    Most of them the ledger knows already; the caller records those that may have been missed.
    """
    # Under another name until it is whole: a file that a killed rebuild left must never be taken for the lane's.
    building = path.with_name("building.duckdb")
    for stale in (path, building):
        stale.unlink(missing_ok=True)
        stale.with_name(stale.name + ".wal").unlink(missing_ok=True)
    store = LiveStore(building)
    load_models(store, statements, overrides)
    import_profiles(store, profiles)
    import_content(store, published)
    progress("reading the archive")
    longest = store.first("select coalesce(max(after_hours), 0) from seeds.sequences") or (0,)
    remembered = max(timedelta(days=CAP_DAYS), timedelta(hours=longest[0])) + horizon
    since = just_before(log.read_after(0, max_bytes=0).watermark) - remembered
    last = _load_archive(store, archive, since)
    progress("reading the log")
    position, as_of = _load_log(store, log, last)
    progress("judging everyone")
    with store.transaction():
        decisions = evaluate_everyone(store, statements, as_of)
        store.set_cursor(position, as_of)
    keep_house(store, statements, as_of, horizon)
    store.close()
    building.rename(path)
    return LiveStore(path), decisions


def keep_house(store: LiveStore, statements: Statements, as_of: datetime, horizon: timedelta) -> int:
    """Forget visitors whose episode is over; keep decisions as long as a cap can see them."""
    with store.transaction():
        return forget(store, statements, as_of - horizon, as_of - timedelta(days=CAP_DAYS))


def _load_archive(store: LiveStore, archive: Path, since: datetime) -> int:
    """What can still matter: recent events, and what people said of themselves whenever it was.

    The tail is left out, the log still has it. Returns the last archived position.
    """
    files = [str(file) for file in sorted((archive / "events").glob("*.parquet")) if file.stem != TAIL]
    if files:
        store.execute(
            "insert into landing.events by name select * from read_parquet(?) "
            "where received_at >= ? or type = 'identify' or event like 'Suppression %'",
            [files, since],
        )
    row = store.first("select max(position) from read_parquet(?)", [files]) if files else None
    return -1 if row is None or row[0] is None else int(row[0])


def _load_log(store: LiveStore, log: EventLog, last: int) -> tuple[int, datetime]:
    position = 0
    while True:
        batch = log.read_after(position)
        store.insert(
            "landing.events", decode(frame for frame in batch.frames if frame.position > last).events
        )
        position = batch.next
        if not batch.frames:
            return position, just_before(batch.watermark)
