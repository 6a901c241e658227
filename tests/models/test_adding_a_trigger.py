"""docs/adding-a-trigger.md, followed to the letter in a copy of the repository."""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from orchestration.dbt import run_dbt
from orchestration.settings import ROOT
from tests.models.sample import write_sample

GUIDE = ROOT / "docs" / "adding-a-trigger.md"
STEP = re.compile(r"^(Create|Append to|In) `([^`]+)`[^\n]*:\n\n```\w+\n(.*?)^```$", re.DOTALL | re.MULTILINE)
WHAT_IT_NEEDS = ("collector", "dbt_project", "docs", "orchestration", "senders", "simulator", "tests")


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The copy, with every block of the guide in its file."""
    copy = tmp_path_factory.mktemp("copy")
    for folder in WHAT_IT_NEEDS:
        ignored = shutil.ignore_patterns("node_modules", "__pycache__", "target*", "logs")
        shutil.copytree(ROOT / folder, copy / folder, ignore=ignored)
    for verb, name, block in STEP.findall(GUIDE.read_text()):
        _follow(verb, copy / name, block)
    return copy


def _follow(verb: str, file: Path, block: str) -> None:
    if verb == "Create":
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(block)
    elif verb == "Append to":
        file.write_text(file.read_text() + block)
    else:
        old, new = (line[1:] for line in block.splitlines())
        assert old in file.read_text(), f"the guide shows a line that {file.name} does not have"
        file.write_text(file.read_text().replace(old, new))


def run(copy: Path, *command: str) -> None:
    """One command of the guide, in the copy; PYTHONPATH because .venv knows the original."""
    env = {**os.environ, "PYTHONPATH": str(copy), "KAIROS_DATA": str(copy / "data")}
    done = subprocess.run(command, cwd=copy, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_models_build(followed: Path, tmp_path: Path):
    """Contract, keys, stories and promises, on the sample."""
    write_sample(tmp_path, 1_000)

    run_dbt(followed / "dbt_project", "warehouse", tmp_path / "target", ["build"], tmp_path)


def test_nothing_is_missing(followed: Path):
    """What a trigger needs is there; the copy's own test says so."""
    run(followed, sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(followed),
        "tests/test_manifest.py")  # fmt: skip


def test_the_replay_finds_who_wished_and_forgot(followed: Path):
    run(
        followed, sys.executable, "-m", "orchestration", "replay", "calls.jsonl", "--identify", "--out", "out"
    )

    with (followed / "out" / "candidates.csv").open() as file:
        found = [
            (row["trigger_name"], row["anonymous_id"], row["qualifies_at"], row["should_send"])
            for row in csv.DictReader(file)
        ]
    emails = [path.read_text() for path in (followed / "out" / "emails").rglob("*.eml")]
    assert found == [("wishlist_reminder", "ann", "2026-03-02T13:00:00Z", "true")]
    assert len(emails) == 1 and "Felt Hat" in emails[0]
