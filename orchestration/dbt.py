"""dbt as a subprocess: its imports cost 2.5 CPU seconds and stay out of every other process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from collector.log.segments import sync_folder
from orchestration.durable import sync_tree


class DbtFailed(RuntimeError):
    """dbt refused; the message is dbt's own, the end of it."""


def run_dbt(
    project: Path, target: str, target_path: Path, arguments: Sequence[str], data: Path | None = None
) -> str:
    """Run one dbt command quietly; returns its output or raises DbtFailed."""
    command = [sys.executable, "-m", "dbt.cli.main", "--no-use-colors", "--quiet", *arguments]
    command += ["--target", target, "--project-dir", str(project), "--profiles-dir", str(project)]
    command += ["--target-path", str(target_path), "--log-path", str(target_path / "logs")]
    env = {**os.environ, **({"KAIROS_DATA": str(data.resolve())} if data else {})}
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False, env=env)
    if done.returncode != 0:
        raise DbtFailed((done.stdout + done.stderr).strip()[-4000:])
    return done.stdout


def compile_into(project: Path, target: str, folder: Path, verb: str = "compile") -> None:
    """Compile or parse into `folder`, all or nothing: a failure leaves what was there."""
    scratch = folder.with_name(f"{folder.name}.{os.getpid()}.tmp")
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        run_dbt(project, target, scratch, [verb, "--no-partial-parse"])
        # Seeds are frozen beside the SQL, so that falling back to this version is falling back to all of it.
        shutil.copytree(project / "seeds", scratch / "seeds")
        sync_tree(scratch)
        shutil.rmtree(folder, ignore_errors=True)
        scratch.rename(folder)
        sync_folder(folder.parent)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def parsed_project(project: Path, version: str, data: Path) -> Path:
    """The folder with the manifest of the warehouse target, parsed once per version of the project."""
    folder = data.resolve() / "parsed" / version
    if not (folder / "manifest.json").exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        compile_into(project, "warehouse", folder, verb="parse")
    return folder
