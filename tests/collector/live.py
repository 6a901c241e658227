"""A collector that really listens, in its own process, and can be killed."""

import json
import multiprocessing
import os
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep

from collector.config import CollectorConfig, WriteKey
from collector.log import FileLog
from collector.server import address_of, bind, run_worker

SERVER_KEY, BROWSER_KEY = "server-key", "browser-key"
CONFIG = CollectorConfig(
    write_keys=(WriteKey(SERVER_KEY, "shop", "server"), WriteKey(BROWSER_KEY, "web", "browser")),
    link_secrets=("only for tests",),
)


@dataclass
class LiveCollector:
    """One process on a free loopback port; `events()` reads its log."""

    folder: Path
    config: CollectorConfig = CONFIG
    worker: Callable[..., None] = run_worker
    listener: socket.socket = field(default_factory=lambda: bind("127.0.0.1", 0))
    process: multiprocessing.process.BaseProcess | None = None

    @property
    def url(self) -> str:
        return address_of(self.listener)

    def start(self) -> "LiveCollector":
        context = multiprocessing.get_context("spawn")
        self.process = context.Process(target=self.worker, args=(self.config, self.folder, self.listener))
        self.process.start()
        return self

    def kill(self) -> None:
        """SIGKILL, as a power button would."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.join()

    def stop(self) -> None:
        self.process.terminate()
        self.process.join(10)
        self.listener.close()

    def events(self) -> list[dict]:
        """Everything in the log so far."""
        log, position, events = FileLog(self.folder), 0, []
        while frames := (batch := log.read_after(position)).frames:
            events += [json.loads(frame.payload) for frame in frames]
            position = batch.next
        log.close()
        return events

    def wait_for(self, count: int, seconds: float = 20) -> list[dict]:
        """The events, once there are `count` of them (or time is up: the caller's asserts will tell)."""
        end = monotonic() + seconds
        while len(events := self.events()) < count and monotonic() < end:
            sleep(0.05)
        return events
