"""Pictures of an email, as a phone and a desk show it, by day and by night."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
WIDTHS = (390, 1200)  # a phone, a desk
_HEIGHT = 2400


def browser() -> str | None:
    """The path of a Chromium, if there is one."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def take(program: str, page: Path) -> list[Path]:
    """One PNG per width and colour scheme, beside the page."""
    return [_one(program, page, width, scheme) for width in WIDTHS for scheme in ("light", "dark")]


def _one(program: str, page: Path, width: int, scheme: str) -> Path:
    """A frame gives the page its width: windows of a headless browser cannot be as narrow as a phone."""
    picture = page.with_name(f"{page.stem}_{width}_{scheme}.png")
    with tempfile.TemporaryDirectory() as folder:
        frame = Path(folder) / "frame.html"
        frame.write_text(
            f'<meta name="color-scheme" content="{scheme}"><body style="margin:0">'
            f'<iframe src="{page.resolve().as_uri()}" style="width:{width}px;height:{_HEIGHT}px;border:0"></iframe>'
        )
        command = [
            program, "--headless=new", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={folder}/profile",
            f"--blink-settings=preferredColorScheme={0 if scheme == 'dark' else 1}",
            f"--window-size={width},{_HEIGHT}", f"--screenshot={picture.resolve()}", frame.as_uri(),
        ]  # fmt: skip
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.insert(1, "--no-sandbox")  # Chromium refuses to start as root with it
        subprocess.run(command, capture_output=True, timeout=60, check=False)
    return picture
