"""Who may know whom, what may be read where, and what no file of ours may contain."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("collector", "orchestration", "senders", "simulator")

# Who else may touch os.environ, and why. Reading a setting there is never the reason.
TOUCHES_ENVIRONMENT = {
    "orchestration/settings.py": "reads the settings",
    "orchestration/dbt.py": "hands the environment on to dbt, with the data folder",
    "orchestration/processes.py": "hands the environment on to child processes",
    "orchestration/system.py": "puts the virtual environment's programs on Dagster's PATH",
    "orchestration/defs/resources.py": "dagster-dbt starts dbt by itself, which finds the data folder by KAIROS_DATA",
    "orchestration/cli/demo.py": "the demo's own data folder and ports, for every process it starts",
}

# Put together here, so that this file does not contain what it looks for.
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:" + "|".join(["work", "root", "home", "Users"]) + r")/[\w.-]+")
INDEX_HOST = re.compile(
    r"https?://[^\s\"'/]*(?:" + "|".join(["py" + "pi", "python" + "hosted", "npm" + "js", "jf" + "rog"]) + r")"
    r"|(?:index-url|registry)\s*[=:]\s*\S*//|\"resolved\":\s*\"http",
    re.IGNORECASE,
)  # fmt: skip


def test_import_rules_hold():
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("package", ["collector", "senders", "simulator"])
def test_an_edge_imports_on_its_own(package: str):
    """The import rules once more, by what is loaded: Dagster or dbt in a collector would cost seconds and memory."""
    probe = (
        "import importlib, pkgutil, sys\n"
        f"import {package}\n"
        f"for module in pkgutil.walk_packages({package}.__path__, '{package}.'):\n"
        "    if not module.name.endswith('__main__'): importlib.import_module(module.name)\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )

    done = subprocess.run([sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, check=True)

    others = {"dagster", "dagster_dbt", "dbt", "duckdb", *PACKAGES} - {package}
    assert set(done.stdout.split()) & others == set()


def test_only_the_settings_read_the_environment():
    touching = {str(path.relative_to(ROOT)) for path in modules() if touches_environment(path)}

    assert touching - set(TOUCHES_ENVIRONMENT) == set(), (
        "take a value instead, from orchestration/settings.py"
    )
    assert set(TOUCHES_ENVIRONMENT) - touching == set(), "no longer needed in this list"


def modules() -> Iterator[Path]:
    """Every Python file of the product."""
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


def touches_environment(path: Path) -> bool:
    names = {"environ", "getenv", "putenv"}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and node.attr in names and getattr(node.value, "id", "") == "os":
            return True
        if isinstance(node, ast.ImportFrom) and node.module == "os" and {a.name for a in node.names} & names:
            return True
    return False


def files() -> list[Path]:
    """What is in git or would be; without git, nothing can be said."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    names = [name for name in listed.stdout.decode().split("\0") if name]
    return [ROOT / name for name in names if (ROOT / name).is_file()]


@pytest.mark.parametrize(
    ("what", "pattern"),
    [("a path of one machine", MACHINE_PATH), ("the host of a package index", INDEX_HOST)],
)
def test_no_file_contains(what: str, pattern: re.Pattern[str]):
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in files()
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]

    assert found == [], f"{what}: leave it out"
