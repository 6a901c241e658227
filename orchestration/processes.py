"""Child processes of `kairos up` and `kairos demo`: started, waited for, ended by id, nobody else's."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx


class ProcessFailed(RuntimeError):
    """A part did not start or ended on its own; the message names its log."""


@dataclass
class Processes:
    """Parts that live as long as this object's `with`."""

    logs: Path
    env: Mapping[str, str]
    children: dict[str, subprocess.Popen] = field(default_factory=dict)

    def __enter__(self) -> Processes:
        """From the main thread: SIGTERM, as service managers send it, ends the parts as Ctrl-C does."""
        self.logs.mkdir(parents=True, exist_ok=True)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        return self

    def start(self, name: str, command: Sequence[str], **env: str) -> None:
        """Start one part in a process group of its own; its output goes to data/logs."""
        with (self.logs / f"{name}.log").open("ab") as log:
            self.children[name] = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                env={**os.environ, **self.env, **env}, start_new_session=True,
            )  # fmt: skip

    def wait_for_http(self, name: str, url: str, seconds: float = 120) -> None:
        """Until it answers; raises ProcessFailed if it ends or stays silent."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.check(name)
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(url, timeout=2, trust_env=False).status_code < 500:
                    return
            time.sleep(0.2)
        raise ProcessFailed(
            f"{name} did not answer at {url} within {seconds:.0f} s: see {self.logs / name}.log"
        )

    def check(self, *names: str) -> None:
        """Raise if one of them (all, without names) has ended."""
        for name in names or tuple(self.children):
            code = self.children[name].poll()
            if code is not None:
                raise ProcessFailed(f"{name} ended with code {code}: see {self.logs / name}.log")

    def __exit__(self, *_: object) -> None:
        """End them in the reverse order; a part that ignores SIGTERM for 15 s is killed."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # being told twice must not leave half of them
        for child in reversed(self.children.values()):
            _signal(child, signal.SIGTERM)
        deadline = time.monotonic() + 15
        for child in reversed(self.children.values()):
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(max(0.1, deadline - time.monotonic()))
        for child in self.children.values():
            _signal(child, signal.SIGKILL)
            child.wait()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _signal(child: subprocess.Popen, number: int) -> None:
    """To the whole group: Dagster starts runs as its children."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, number)


def program(name: str) -> str:
    """A program of this virtual environment."""
    return str(Path(sys.executable).with_name(name))


def port_is_free(host: str, port: int) -> bool:
    """True if nobody listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port(host: str, preferred: int) -> int:
    """The preferred port, or the next free one of the twenty behind it."""
    for port in range(preferred, preferred + 20):
        if port_is_free(host, port):
            return port
    raise ProcessFailed(f"no free port between {preferred} and {preferred + 19}")
