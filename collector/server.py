"""Run the collector: one listening socket, one or several processes that append to the same log."""

import gc
import multiprocessing
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import uvicorn
from starlette.types import ASGIApp

from collector.app import create_app
from collector.config import CollectorConfig
from collector.log import FileLog
from collector.metrics_share import MetricsShare

_BACKLOG = 2048
_IDLE_SECONDS = 75  # browsers and load balancers reuse a connection for about a minute


def serve(config: CollectorConfig, landing: Path, on_start: Callable[[str], None] | None = None) -> None:
    """Serve until SIGINT or SIGTERM. `on_start` is told the address as soon as it is bound.

    Every worker has its own socket on the same port, so that the system spreads connections evenly.
    """
    with bind(config.host, config.port) as probe:  # fails loudly if somebody else has the port
        port = probe.getsockname()[1]
    config = replace(config, port=port)
    listener = bind(config.host, port, is_shared=True)
    if on_start:
        on_start(address_of(listener))
    with TemporaryDirectory(prefix="kairos-metrics-") as folder:
        shares = [MetricsShare(Path(folder), number) for number in range(config.workers)]
        others = [_spawn(config, landing, share) for share in shares[1:]]
        try:
            run_worker(config, landing, listener, shares[0])
        finally:
            for process in others:
                process.terminate()
                process.join()


def bind(host: str, port: int, is_shared: bool = False) -> socket.socket:
    """A listening socket; port 0 takes any free one, a shared one several processes may bind."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if is_shared:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind((host, port))
    listener.listen(_BACKLOG)
    return listener


def address_of(listener: socket.socket) -> str:
    """`http://127.0.0.1:8080`"""
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def run_worker(
    config: CollectorConfig, landing: Path, listener: socket.socket, share: MetricsShare | None = None
) -> None:
    """One process's part: its own event loop and its own writer on the shared log."""
    run_app(create_app(config, FileLog(landing), share=share), listener)


def run_app(app: ASGIApp, listener: socket.socket) -> None:
    """Serve an application until SIGINT or SIGTERM, with the settings measured to be the best."""
    _tune()
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            loop="uvloop",
            http="httptools",
            ws="none",
            access_log=False,
            log_level="warning",
            timeout_keep_alive=_IDLE_SECONDS,
            server_header=False,
            date_header=False,
            proxy_headers=False,
        )
    )
    server.run(sockets=[listener])


def _tune() -> None:
    """Settings for a process that makes many short-lived objects in one thread and waits in another."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)  # parsed events die young; the default collects every 7 events
    sys.setswitchinterval(0.0005)  # seconds the writer thread may wait to tell that a group is durable


def _spawn(
    config: CollectorConfig, landing: Path, share: MetricsShare
) -> multiprocessing.process.BaseProcess:
    process = multiprocessing.get_context("spawn").Process(
        target=_run_another, args=(config, landing, share), daemon=True
    )
    process.start()
    return process


def _run_another(config: CollectorConfig, landing: Path, share: MetricsShare) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    run_worker(config, landing, bind(config.host, config.port, is_shared=True), share)


def _end_with_parent() -> None:
    """A worker must not outlive a first process that was killed: it would keep the port."""
    multiprocessing.parent_process().join()
    os.kill(os.getpid(), signal.SIGTERM)
