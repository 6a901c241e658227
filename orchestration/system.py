"""The running system: collector and Dagster as processes, with everything they need prepared."""

from __future__ import annotations

import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from orchestration.archive import prepare
from orchestration.dbt import parsed_project
from orchestration.live.models import current_models
from orchestration.live.statements import project_version
from orchestration.processes import Processes, program
from orchestration.settings import ROOT, Settings

DAGSTER_PORT = 3000


def prepare_data(settings: Settings) -> None:
    """Folders, secret, empty archive, compiled models: what must exist before anything starts."""
    settings.data.mkdir(parents=True, exist_ok=True)
    settings.key()
    prepare(settings.archive, settings.profiles)
    version = project_version(settings.dbt_project)
    with ThreadPoolExecutor() as pool:  # two runs of dbt, for the live lane and for Dagster
        parsing = pool.submit(parsed_project, settings.dbt_project, version, settings.data)
        current_models(settings.dbt_project, settings.compiled)
        parsing.result()


def dagster_home(settings: Settings) -> Path:
    """Dagster's storage under data/, with the instance settings of the repository."""
    home = (settings.data / "dagster").resolve()
    home.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "dagster.yaml", home / "dagster.yaml")
    return home


def processes(settings: Settings, env: dict[str, str] | None = None) -> Processes:
    """An empty set of child processes that see the same settings."""
    shared = {"KAIROS_DATA": str(settings.data.resolve()), "PYTHONUNBUFFERED": "1", **(env or {})}
    return Processes((settings.data / "logs").resolve(), shared)


def start_collector(parts: Processes, settings: Settings) -> str:
    """Start it and wait until it answers; returns its address."""
    collector = settings.collector
    parts.start("collector", [sys.executable, "-m", "orchestration", "collector"])
    url = f"http://{collector.host}:{collector.port}"
    parts.wait_for_http("collector", f"{url}/healthz", 60)
    return url


def start_dagster(parts: Processes, settings: Settings, port: int) -> str:
    """Web server and daemon; returns the UI's address without waiting for it."""
    command = [
        program("dagster"),
        "dev",
        "-h",
        "127.0.0.1",
        "-p",
        str(port),
        "-m",
        "orchestration.definitions",
    ]
    parts.start(
        "dagster", command, DAGSTER_HOME=str(dagster_home(settings)), DAGSTER_DISABLE_TELEMETRY="1",
        PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
    )  # fmt: skip
    return f"http://127.0.0.1:{port}"
