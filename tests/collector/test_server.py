"""The collector as it is started for real: several processes, one port, one log."""

import http.client
import json
import multiprocessing
import os
import signal
from dataclasses import replace
from pathlib import Path
from time import monotonic, sleep

import pytest

from collector.log import FileLog
from collector.metrics_share import SECONDS
from collector.server import bind, serve
from tests.collector.asking import basic
from tests.collector.live import CONFIG, SERVER_KEY
from tests.collector.log_tools import read_all

EVENTS = 'events_total{source="shop",status="accepted",type="track"}'


def start(port: int, folder: Path) -> multiprocessing.process.BaseProcess:
    config = replace(CONFIG, port=port, workers=2)
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(config, folder))
    process.start()
    return process


def post(port: int, n: int) -> int | None:
    """The status of one event, None while nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        body = {"type": "track", "event": "x", "userId": "u", "messageId": f"m{n}"}
        connection.request("POST", "/v1/track", json.dumps(body), basic(SERVER_KEY))
        return connection.getresponse().status
    except OSError:
        return None
    finally:
        connection.close()


def wait_until(is_true, seconds: float = 10) -> bool:
    end = monotonic() + seconds
    while not (result := is_true()) and monotonic() < end:
        sleep(0.05)
    return result


def is_free(port: int) -> bool:
    try:
        bind("127.0.0.1", port).close()
    except OSError:
        return False
    return True


def writers_of(folder: Path) -> int:
    """How many processes hold the log's lock file open."""
    lock = str(folder / ".lock")
    holders = 0
    for fds in Path("/proc").glob("[0-9]*/fd"):
        try:
            holders += any(os.readlink(fd) == lock for fd in fds.iterdir())
        except OSError:
            continue
    return holders


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc to count processes")
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_two_workers_share_port_and_log_and_end_together(tmp_path, end):
    with bind("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    process = start(port, tmp_path)
    assert wait_until(lambda: post(port, 0) == 200)
    assert wait_until(lambda: writers_of(tmp_path) == 2)

    statuses = [post(port, n) for n in range(1, 60)]
    os.kill(process.pid, end)
    process.join(10)

    assert statuses == [200] * 59
    assert {event["message_id"] for event in read_all(FileLog(tmp_path))} == {f"m{n}" for n in range(60)}
    assert wait_until(lambda: is_free(port)), "a worker outlived the first process"


def scrape(port: int) -> dict[str, float]:
    """Every figure by its name with labels, from a fresh connection: any worker may answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
    finally:
        connection.close()
    lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}


def test_one_scrape_tells_the_sum_over_the_workers(tmp_path):
    with bind("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    process = start(port, tmp_path)
    try:
        assert wait_until(lambda: post(port, 0) == 200)
        assert wait_until(lambda: writers_of(tmp_path) == 2)
        assert [post(port, n) for n in range(1, 60)] == [200] * 59

        sleep(2 * SECONDS)  # until each worker told the other
        scrapes = [scrape(port) for _ in range(20)]  # with 20 fresh connections, both workers answer
    finally:
        process.terminate()
        process.join(10)

    assert {figures[EVENTS] for figures in scrapes} == {60.0}
    assert {figures["intake_seconds_count"] for figures in scrapes} == {60.0}
    assert {figures['intake_seconds_bucket{le="+Inf"}'] for figures in scrapes} == {60.0}
    assert {figures["intake_pending_bytes"] for figures in scrapes} == {0.0}


def test_a_taken_port_is_refused_loudly(tmp_path):
    with bind("127.0.0.1", 0) as taken, pytest.raises(OSError, match="in use"):
        serve(replace(CONFIG, port=taken.getsockname()[1]), tmp_path)
