"""A process that appends numbered events and prints each number once it is acknowledged."""

import sys
from pathlib import Path

from collector.log import FileLog
from tests.collector.log_tools import numbered


def main(folder: str, start: str, count: str) -> None:
    log = FileLog(Path(folder), segment_bytes=20_000)
    for n in range(int(start), int(start) + int(count)):
        log.append(numbered(1, start=n, pad=n % 97))
        print(n, flush=True)


main(*sys.argv[1:])
