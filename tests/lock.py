"""Renews requirements.lock: every package with its hashes, no index named."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Resolve for all platforms from Python 3.11 on."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    with tempfile.NamedTemporaryFile("w", suffix=".in") as file:
        file.write("\n".join(wanted))
        file.flush()
        subprocess.run(
            [
                sys.executable, "-m", "uv", "pip", "compile", file.name, "-o", str(ROOT / "requirements.lock"),
                "--generate-hashes", "--no-header", "--no-emit-index-url", "--no-annotate", "--universal",
                "--python-version", "3.11", "--quiet",
            ],
            check=True,
        )  # fmt: skip


if __name__ == "__main__":
    main()
