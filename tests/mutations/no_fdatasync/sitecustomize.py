"""On the PYTHONPATH of a process: the log no longer waits for the disk, which a proof of durability must notice."""

import os


def _lie(descriptor: int) -> None:
    """Answer at once, as a disk does that keeps everything in its cache."""


os.fdatasync = _lie
