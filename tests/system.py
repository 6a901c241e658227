"""A whole Kairos in a temporary folder, with real processes, for stories, chaos and benchmarks."""

from __future__ import annotations

import email
import email.policy
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx

from orchestration.live.lease import read_lease
from orchestration.settings import ROOT

SERVER_KEY, BROWSER_KEY = "demo-server-key", "demo-browser-key"
DATA = ROOT.parent / "shared" / "data"
QUICK = {"cart_abandonment": {"min_seconds": "3"}}
QUICK_ROUTES = {"high_value": {"min_seconds": "4"}, "mid_value": {"min_seconds": "2"}}


EVERYBODY_MAILED = {"holdout": {"share": "0"}}
"""For the seed experiments: stories say who is mailed, so nobody is held out by chance."""


def free_port() -> int:
    """A port nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def now_text() -> str:
    """The instant as an SDK writes it."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def copy_project(folder: Path, changes: Mapping[str, Mapping[str, Mapping[str, str]]], **limits: int) -> Path:
    """A copy of the dbt project with other numbers in its seeds: {seed: {row key: {column: value}}}.

    `limits` are the project's vars, as in `email_gap_hours=0`. Nobody is held out unless `changes` say so.
    """
    import csv
    import re

    project = folder / "dbt_project"
    shutil.copytree(ROOT / "dbt_project", project, ignore=shutil.ignore_patterns("target*", "logs"))
    for seed, rows in {"experiments": EVERYBODY_MAILED, **changes}.items():
        file = project / "seeds" / f"{seed}.csv"
        with file.open(newline="") as source:
            table = list(csv.DictReader(source))
        for row in table:
            for key, values in rows.items():
                if key in row.values():
                    row.update(values)
        with file.open("w", newline="") as target:
            writer = csv.DictWriter(target, table[0].keys(), lineterminator="\n")
            writer.writeheader()
            writer.writerows(table)
    settings = project / "dbt_project.yml"
    for name, value in limits.items():
        text, found = re.subn(rf"(?m)^  {name}: .*$", f"  {name}: {value}", settings.read_text())
        assert found == 1, f"dbt_project.yml has no var {name}"
        settings.write_text(text)
    return project


@dataclass
class System:
    """Collector, mail sink and live lane as processes of their own."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    collector_port: int = field(default_factory=free_port)
    smtp_port: int = field(default_factory=free_port)
    before: str = ""  # the window that held the lease before the one started last

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.collector_port}"

    @property
    def accepted_log(self) -> Path:
        return self.folder / "accepted.log"

    def environment(self) -> dict[str, str]:
        """What every process of this system sees."""
        return {
            **os.environ,
            "KAIROS_DATA": str(self.data),
            "KAIROS_COLLECTOR__PORT": str(self.collector_port),
            "KAIROS_COLLECTOR__PUBLIC_URL": self.url,
            "KAIROS_MAIL__TRANSPORT": "smtp",
            "KAIROS_MAIL__SMTP__PORT": str(self.smtp_port),
            **self.env,
        }

    def start(self, name: str, *command: str) -> None:
        """Start a process; its output goes to <folder>/<name>.log."""
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command, cwd=ROOT, env=self.environment(), stdout=log, stderr=log, start_new_session=True
            )

    def start_sink(self, *options: str) -> None:
        """A mail server that writes down each accepted message before it says so."""
        self.start(
            "sink", sys.executable, str(ROOT / "tests" / "senders" / "sink.py"),
            "--port", str(self.smtp_port), "--log", str(self.accepted_log), *options,
        )  # fmt: skip
        self.wait(lambda: _listens(self.smtp_port), "the mail sink to listen")

    def start_inbox(self) -> None:
        """A real mail server that keeps the mails as .eml files."""
        self.start(
            "inbox", sys.executable, "-m", "simulator.inbox", "--smtp-port", str(self.smtp_port),
            "--http-port", str(free_port()), "--folder", str(self.folder / "inbox"),
        )  # fmt: skip
        self.wait(lambda: _listens(self.smtp_port), "the inbox to listen")

    def mails(self) -> dict[str, list[EmailMessage]]:
        """What arrived so far, by recipient."""
        found: dict[str, list[EmailMessage]] = {}
        for file in sorted((self.folder / "inbox").glob("**/*.eml")):
            mail = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
            found.setdefault(str(mail["To"]).split("<")[-1].rstrip(">").strip(), []).append(mail)  # type: ignore[arg-type]
        return found

    def start_collector(self) -> None:
        """The real collector."""
        self.start("collector", sys.executable, "-m", "orchestration", "collector")
        self.wait(lambda: _listens(self.collector_port), "the collector to listen")

    def start_window(self, seconds: float = 3600) -> None:
        """One window of the live lane, without Dagster."""
        self.before = read_lease(self.data / "window.lease").run_id
        self.start("window", sys.executable, "-m", "orchestration", "window", "--seconds", str(seconds))

    def start_dagster_window(self, seconds: float) -> None:
        """One window as an ordinary run of the ordinary Dagster job."""
        self.before = read_lease(self.data / "window.lease").run_id
        self.env["KAIROS_LIVE__WINDOW_SECONDS"] = str(seconds)
        home = self.folder / "dagster_home"
        home.mkdir(exist_ok=True)
        shutil.copy(ROOT / "dagster.yaml", home / "dagster.yaml")
        self.env["DAGSTER_HOME"] = str(home)
        self.start("window", sys.executable, "-m", "tests.stories.dagster_window")

    def wait_for_window(self, seconds: float = 90) -> None:
        """Until the window started last has opened everything and works."""

        def works() -> bool:
            lease = read_lease(self.data / "window.lease")
            return lease.is_working and lease.run_id != self.before

        self.wait(works, "the live lane to run", seconds)

    def wait(self, condition: Callable[[], Any], what: str, seconds: float = 60) -> None:
        """Poll until it holds; fails with what was waited for and the newest output."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                tails = {log.name: log.read_text()[-1500:] for log in self.folder.glob("*.log")}
                raise AssertionError(f"waited {seconds:.0f} s for {what}\n" + json.dumps(tails, indent=1))
            time.sleep(0.05)

    def post(self, calls: list[dict[str, Any]], key: str = SERVER_KEY) -> None:
        """Segment calls through the real HTTP path; raises unless acknowledged."""
        answer = httpx.post(
            f"{self.url}/v1/batch", json={"batch": calls, "sentAt": now_text()}, auth=(key, ""), timeout=10
        )
        assert answer.status_code == 200, answer.text

    def accepted(self) -> list[str]:
        """The decision of every message the sink accepted, in order; a decision twice is an email twice."""
        if not self.accepted_log.exists():
            return []
        return [line.split(".")[0] for line in self.accepted_log.read_text().splitlines() if line]

    def kill(self, name: str) -> None:
        """SIGKILL one process, as a crash would."""
        process = self.processes.pop(name, None)
        if process:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def stop(self, name: str, seconds: float = 30) -> None:
        """SIGTERM one process and wait."""
        process = self.processes.pop(name, None)
        if process:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def close(self) -> None:
        """End everything that was started here."""
        for name in list(reversed(self.processes)):
            self.stop(name)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0
