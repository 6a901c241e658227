"""A window of the live lane: take the lock, work in micro-batches, hand over."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from collector.log.file import FileLog
from orchestration.archive import prepare
from orchestration.live.lane import LiveLane
from orchestration.live.lease import Lease, WindowLock, read_lease, utc_now, write_lease
from orchestration.live.models import current_models
from orchestration.live.opening import open_store
from orchestration.live.rebuild import keep_house
from orchestration.live.receipts import ReceiptExport
from orchestration.live.sending import Sending, composer_of
from orchestration.live.statistics import Statistics
from orchestration.settings import Settings

logger = logging.getLogger("kairos.live")

EXIT_STALLED = 70
LOCK_WAIT_SECONDS = 120
BEAT_SECONDS = 0.25


class WindowBusy(RuntimeError):
    """Another window kept the lock for longer than anyone should wait."""


class Window:
    """One window; `run` returns when its time is over and everything is closed."""

    def __init__(self, settings: Settings, run_id: str, seconds: float | None = None) -> None:
        self._settings = settings
        self._run_id = run_id
        self._seconds = settings.live.window_seconds if seconds is None else seconds
        self._lock = WindowLock(settings.data / "window.lock")
        self._lease = Lease(run_id=run_id)
        self._stop = threading.Event()
        self.statistics = Statistics()
        self.problem = ""
        self.version = ""
        self.totals: Counter[str] = Counter()

    def stop(self) -> None:
        """End after the current micro-batch."""
        self._stop.set()

    def run(self, report: Callable[[Statistics], None] = lambda _: None) -> None:
        """Work until the window ends. `report` is called about every `report_seconds` and once at the end."""
        # Compile and load before the lock: the predecessor works while we prepare.
        models, self.problem = current_models(self._settings.dbt_project, self._settings.compiled)
        composer = composer_of(self._settings)
        self.version = models.version
        prepare(self._settings.archive, self._settings.profiles)
        if not self._lock.take(LOCK_WAIT_SECONDS):
            raise WindowBusy(
                f"another window holds {self._settings.data / 'window.lock'}: `kairos status` names it"
            )
        before = read_lease(self._settings.lease)
        self._lease = Lease(
            position=before.position,
            judged_until=before.judged_until,
            run_id=self._run_id,
            ends_at=time.time() + self._seconds,
            beat_at=time.time(),
            model_version=models.version,
            problem=self.problem,
        )
        write_lease(self._settings.lease, self._lease)
        log = FileLog(self._settings.landing)
        store, missed = open_store(self._settings, log, models)
        try:
            with Sending(self._settings, composer) as sending:
                lane = LiveLane(log, store, models, sending.ledger, sending.shop, utc_now)
                lane.facts.catch_up()
                lane.admit(missed)
                sending.start(lane.facts.catch_up)
                self._loop(lane, sending, ReceiptExport(log, sending.ledger), report)
                self._export(ReceiptExport(log, sending.ledger))
                horizon = timedelta(hours=self._settings.project_vars()["episode_gap_hours"])
                keep_house(store, models, utc_now().replace(tzinfo=None), horizon)
        finally:
            store.close()
            self._lock.release()
            self._stop.set()
        report(self.statistics)

    def _loop(
        self, lane: LiveLane, sending: Sending, receipts: ReceiptExport, report: Callable[[Statistics], None]
    ) -> None:
        live = self._settings.live
        ends = time.monotonic() + self._seconds
        self._lease = replace(
            self._lease, ends_at=time.time() + self._seconds, beat_at=time.time(), is_working=True
        )
        write_lease(self._settings.lease, self._lease)
        self._watch()
        next_report = time.monotonic() + live.report_seconds
        next_export = 0.0
        while (now := time.monotonic()) < ends and not self._stop.is_set():
            step = lane.step()
            self._beat(lane)
            if step.idle:
                self._stop.wait(live.idle_seconds)
            else:
                self.statistics.add_step(step)
                self.totals.update(events=step.events, quarantined=step.quarantined)
                if any(decision.should_send for decision in step.decisions):
                    sending.wake()
                self._stop.wait(max(0.0, live.cycle_seconds - (time.monotonic() - now)))
            if now >= next_export:
                self._export(receipts)
                next_export = now + 1.0
            if now >= next_report:
                report(self.statistics)
                next_report = now + live.report_seconds

    def _export(self, receipts: ReceiptExport) -> None:
        for receipt in receipts.run(utc_now()):
            if receipt.outcome == "SENT":
                self.statistics.add_send(receipt.timings)

    def _beat(self, lane: LiveLane) -> None:
        now = time.time()
        if now - self._lease.beat_at < BEAT_SECONDS:
            return
        judged = lane.judged_until
        self._lease = replace(
            self._lease,
            beat_at=now,
            position=lane.position,
            judged_until=judged.timestamp() if judged else 0.0,
        )
        write_lease(self._settings.lease, self._lease)

    def _watch(self) -> None:
        """A window that hangs keeps the lock for ever: end the process, the kernel frees the lock."""
        threading.Thread(target=self._end_if_stalled, name="watchdog", daemon=True).start()

    def _end_if_stalled(self) -> None:
        allowed = self._settings.live.stalled_seconds
        while not self._stop.wait(1.0):
            if time.time() - self._lease.beat_at > allowed:
                logger.critical("no heartbeat for %.0f s: ending this window", allowed)
                os._exit(EXIT_STALLED)
