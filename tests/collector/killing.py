"""Kill the collector under load, or cut its power, again and again: what it acknowledged must be in the log."""

import http.client
import json
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep
from typing import NamedTuple

from collector.server import run_worker
from tests.collector.asking import basic
from tests.collector.live import SERVER_KEY, LiveCollector
from tests.power import Disk

CLIENTS = 6


class Outcome(NamedTuple):
    """What happened in all cycles together."""

    cycles: int
    kills: int
    acknowledged: int
    lost: list[str]  # message ids that were acknowledged and are not in the log
    damaged: int  # files of bytes that are no frames; torn tails may leave some


def run(
    folder: Path,
    cycles: int,
    seed: int = 1,
    disk: Disk | None = None,
    worker: Callable[..., None] = run_worker,
) -> Outcome:
    """Load, kill and restart `cycles` times on the same log; with a disk, of which `folder` is a part, cut its power."""
    dice, clients = random.Random(seed), [Client(number) for number in range(CLIENTS)]
    collector = LiveCollector(folder, worker=worker).start()
    with _running(clients, collector):
        for _ in range(cycles):
            _wait_for_acknowledgements(clients)
            sleep(dice.uniform(0, 0.15))
            collector.kill()
            if disk:
                disk.lose_power()
            collector.start()
        _wait_for_acknowledgements(clients)
    acknowledged = {message_id for client in clients for message_id in client.acknowledged}
    found = {event["message_id"] for event in collector.events()}
    collector.stop()
    damaged = len(list((folder / "quarantine").glob("*.bad")))
    return Outcome(cycles, cycles, len(acknowledged), sorted(acknowledged - found), damaged)


@contextmanager
def _running(clients: list["Client"], collector: LiveCollector) -> Iterator[None]:
    host, port = collector.listener.getsockname()
    threads = [threading.Thread(target=client.work, args=(host, port)) for client in clients]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for client in clients:
            client.is_over = True
        for thread in threads:
            thread.join()


def _wait_for_acknowledgements(clients: list["Client"]) -> None:
    """Until every client got through at least once more: the collector is up and under load."""
    before = [len(client.acknowledged) for client in clients]
    while any(len(client.acknowledged) <= count for client, count in zip(clients, before, strict=True)):
        sleep(0.01)


class Client:
    """Sends batches and repeats each one until it is acknowledged, as SDKs do."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.acknowledged: list[str] = []
        self.is_over = False

    def work(self, host: str, port: int) -> None:
        """Send until told to stop."""
        count = 0
        while not self.is_over:
            ids = [f"{self.number}-{count}-{n}" for n in range(5)]
            while not self.is_over and not self._send(host, port, ids):
                sleep(0.005)
            count += 1

    def _send(self, host: str, port: int, ids: list[str]) -> bool:
        batch = [{"type": "track", "event": "x", "userId": "u", "messageId": one} for one in ids]
        connection = http.client.HTTPConnection(host, port, timeout=2)
        try:
            connection.request("POST", "/v1/batch", json.dumps({"batch": batch}), basic(SERVER_KEY))
            is_acknowledged = connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
        if is_acknowledged:
            self.acknowledged += ids
        return is_acknowledged
