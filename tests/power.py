"""Power loss: a disk that can be frozen at any instant, so that only what was synced is left.

A file system of its own on a loop device; its backing file, copied at the instant of SIGKILL, is what the
disk held: what lay in the page cache alone is gone. Needs root and loop devices, which `why_not` tells.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_TOOLS = ("mkfs.ext4", "mount", "umount")


def why_not() -> str | None:
    """None where power can be cut, else what is missing."""
    if os.geteuid() != 0:
        return "cutting the power needs root, for a loop device"
    if missing := [tool for tool in _TOOLS if shutil.which(tool) is None]:
        return f"cutting the power needs {', '.join(missing)}"
    with tempfile.TemporaryDirectory(prefix="kairos-disk-") as folder:
        try:
            with inserted(Path(folder) / "data", megabytes=16):
                return None
        except subprocess.CalledProcessError as error:
            return f"cutting the power needs loop devices: {error.stderr.decode().strip()}"


@contextmanager
def inserted(mount_point: Path, megabytes: int = 1024) -> Iterator[Disk]:
    """A fresh disk, unmounted at the end. Raises CalledProcessError where that is not allowed."""
    disk = Disk(mount_point, megabytes)
    disk.insert()
    try:
        yield disk
    finally:
        disk.remove()


@dataclass
class Disk:
    """An ext4 file system mounted at `mount_point`; its images lie beside it."""

    mount_point: Path
    megabytes: int
    losses: int = field(default=0, init=False)

    @property
    def _image(self) -> Path:
        return self.mount_point.with_name(f"disk-{self.losses}.img")

    def insert(self) -> None:
        """Make the file system and mount it."""
        with self._image.open("wb") as image:
            image.truncate(self.megabytes << 20)
        _run("mkfs.ext4", "-q", "-F", str(self._image))
        self._mount()

    def lose_power(self) -> None:
        """Go on with what was durable at this instant. Kill whoever uses the disk first."""
        before = self._image
        self.losses += 1
        _run("cp", "--sparse=always", str(before), str(self._image))
        _run("umount", str(self.mount_point))
        before.unlink()
        self._mount()

    def remove(self) -> None:
        """Unmount; the files of the last image stay in it."""
        _run("umount", "--lazy", str(self.mount_point))
        self._image.unlink()

    def _mount(self) -> None:
        """The kernel would flush by itself every 5 s; a minute leaves the proof to fdatasync."""
        self.mount_point.mkdir(exist_ok=True)
        _run("mount", "-o", "loop,commit=60", str(self._image), str(self.mount_point))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
