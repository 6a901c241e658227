"""Opens the warm database, and makes it anew where it is missing, damaged or cut off from the log."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import duckdb

from collector.log.base import EventLog, PositionLost
from orchestration.live.content import import_content
from orchestration.live.evaluate import Row
from orchestration.live.lease import read_lease
from orchestration.live.profiles import import_profiles
from orchestration.live.rebuild import rebuild
from orchestration.live.statements import Statements
from orchestration.live.store import LiveStore
from orchestration.settings import Settings

logger = logging.getLogger("kairos.live")


def open_store(settings: Settings, log: EventLog, models: Statements) -> tuple[LiveStore, list[Row]]:
    """The database as it was left, or a rebuilt one with the decisions that may have been missed.

    Losing the file costs time, never a decision. Raises duckdb.Error where another process holds it.
    """
    if not settings.live_db.exists():
        return rebuild_store(settings, log, models)
    try:
        store = LiveStore(settings.live_db, settings.live.memory_limit)
        store.cursor()
    except duckdb.Error as error:
        if "lock" in str(error).lower():
            raise
        logger.error("the live database cannot be opened, rebuilding it: %s", str(error).splitlines()[0])
        return rebuild_store(settings, log, models)
    try:
        log.read_after(store.cursor()[0], max_bytes=1)
    except PositionLost as error:
        logger.error("the live database fell behind the log, rebuilding it: %s", error)
        store.close()
        return rebuild_store(settings, log, models)
    import_profiles(store, settings.profiles)
    import_content(store, settings.published)
    return store, []


def rebuild_store(
    settings: Settings,
    log: EventLog,
    models: Statements,
    progress: Callable[[str], None] = logger.info,
) -> tuple[LiveStore, list[Row]]:
    """Build it from archive and log; with it, decisions on moments the lane had not judged before.

    What ripened earlier is in the ledger, or the models of that time did not want it: changed models
    must not mail yesterday's people.
    """
    store, decisions = rebuild(
        settings.live_db,
        log,
        settings.archive,
        settings.profiles,
        settings.published,
        models,
        timedelta(hours=settings.project_vars()["episode_gap_hours"]),
        progress=progress,
    )
    judged_until = datetime.fromtimestamp(read_lease(settings.lease).judged_until, UTC).replace(tzinfo=None)
    return store, [row for row in decisions if row["qualifies_at"] > judged_until]
