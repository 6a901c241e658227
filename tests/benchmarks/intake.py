"""How many events become durable per second, beside an empty handler on the same server.

Run `python -m tests.benchmarks.intake [seconds]`, or call `measure(seconds)`.
"""

import json
import multiprocessing
import os
import selectors
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import perf_counter, sleep
from uuid import uuid4

from starlette.types import Receive, Scope, Send

from collector import server
from collector.config import CollectorConfig, WriteKey
from collector.http_answer import answer_success
from collector.server import bind, run_app

CONNECTIONS = {1: 64, 100: 24}  # by events per request; more only adds waiting
_START_SECONDS = 3  # until all workers accept; the first to come would otherwise get all connections
_SUCCESS = b'{"success":true}'
_CONFIG = CollectorConfig(write_keys=(WriteKey("bench", "bench", "server"),))


def measure(seconds: float = 8) -> dict:
    """Durable events per second and latency in ms for 1 and 100 events per request.

    Four runs of `seconds` each; `ratio` is the collector's request rate over the empty handler's.
    """
    figures: dict = {"load_average": os.getloadavg()[0], "cpus": os.cpu_count()}
    for events in CONNECTIONS:
        empty = run(_serve_empty, events, seconds)
        durable = run(_serve_collector, events, seconds)
        ratio = durable["requests_per_s"] / empty["requests_per_s"]
        figures[f"events_per_request_{events}"] = {"empty": empty, "durable": durable, "ratio": ratio}
    return figures


def run(serve: Callable[[int, str], None], events: int, seconds: float) -> dict:
    """Load one server from this process, on all its connections, one request in flight on each."""
    with _server(serve) as address:
        load(address, events, min(1.0, seconds / 4))  # warm up
        return load(address, events, seconds)


def _serve_empty(port: int, folder: str) -> None:
    run_app(_empty, bind("127.0.0.1", port))


async def _empty(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        while (await receive()).get("more_body"):
            pass
        await answer_success(send)


def _serve_collector(port: int, folder: str) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that its workers are ended too
    server.serve(replace(_CONFIG, port=port), Path(folder))


@contextmanager
def _server(serve: Callable[[int, str], None]) -> Iterator[tuple[str, int]]:
    with bind("127.0.0.1", 0) as free:
        address = free.getsockname()
    with tempfile.TemporaryDirectory(prefix="kairos-intake-") as folder:
        process = multiprocessing.get_context("spawn").Process(target=serve, args=(address[1], folder))
        process.start()
        try:
            sleep(_START_SECONDS)
            yield address
        finally:
            process.terminate()
            process.join(10)


def load(address: tuple[str, int], events: int, seconds: float) -> dict:
    """Keep every connection busy for `seconds`; the answers' latencies are all kept."""
    request = _request(events)
    with selectors.DefaultSelector() as selector:
        connections = [_connect(address, selector) for _ in range(CONNECTIONS[events])]
        latencies, elapsed = _exchange(selector, connections, request, seconds)
        for connection in connections:
            connection.close()
    return _figures(latencies, elapsed, events)


def _connect(address: tuple[str, int], selector: selectors.BaseSelector) -> socket.socket:
    connection = socket.create_connection(address, timeout=10)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    selector.register(connection, selectors.EVENT_READ)
    return connection


def _exchange(
    selector: selectors.BaseSelector, connections: list[socket.socket], request: bytes, seconds: float
) -> tuple[list[float], float]:
    latencies: list[float] = []
    begin = perf_counter()
    sent = {connection: begin for connection in connections}
    for connection in connections:
        connection.sendall(request)
    while (now := perf_counter()) < begin + seconds:
        for key, _ in selector.select(1):
            connection = key.fileobj
            answer = connection.recv(4096)
            if not answer.endswith(_SUCCESS):
                _check_head(answer)
                continue  # some servers send the head first
            received = perf_counter()
            latencies.append(received - sent[connection])
            sent[connection] = received
            connection.sendall(request)
    return latencies, now - begin


def _check_head(answer: bytes) -> None:
    if not answer.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"the server answered {answer[:200]!r}")


def _figures(latencies: list[float], elapsed: float, events: int) -> dict:
    latencies.sort()
    return {
        "requests_per_s": round(len(latencies) / elapsed),
        "events_per_s": round(len(latencies) * events / elapsed),
        "p50_ms": round(latencies[len(latencies) // 2] * 1000, 2),
        "p99_ms": round(latencies[len(latencies) * 99 // 100] * 1000, 2),
    }


def _request(events: int) -> bytes:
    """What a Segment SDK sends: about 450 bytes per event."""
    if events == 1:
        path, body = "/v1/track", json.dumps(_event(0))
    else:
        batch = {"batch": [_event(n) for n in range(events)], "sentAt": "2026-11-23T11:00:01.000Z"}
        path, body = "/v1/batch", json.dumps(batch)
    head = f"POST {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Basic YmVuY2g6\r\n"
    return f"{head}content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode()


def _event(n: int) -> dict:
    return {
        "type": "track",
        "event": "Product Viewed",
        "messageId": str(uuid4()),
        "anonymousId": str(uuid4()),
        "userId": None,
        "timestamp": "2026-11-23T11:00:00.123+00:00",
        "properties": {"product_id": f"p{n}", "price": 19.99, "url": "https://shop.example/p?x=2"},
        "context": {"library": {"name": "bench", "version": "1"}, "page": {"path": "/p"}},
        "integrations": {},
    }


if __name__ == "__main__":
    print(json.dumps(measure(float(sys.argv[1]) if len(sys.argv) > 1 else 8), indent=2))
