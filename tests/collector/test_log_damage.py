"""Torn tails, flipped bits, full disks and killed writers."""

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from collector.log import FileLog, LogFailed, LogFull
from tests.collector.log_tools import numbered, numbers, read_all

ROOT = Path(__file__).parents[2]


def only_segment(folder: Path) -> Path:
    return max(folder.glob("*.log"))


def reopened(folder: Path, clock) -> FileLog:
    """The log as another machine or a later boot finds it: without the record of where it ended."""
    (folder / ".lock").unlink(missing_ok=True)
    return FileLog(folder, clock=clock)


def test_a_log_cut_at_every_byte_of_its_end_keeps_exactly_the_whole_frames(tmp_path, clock):
    FileLog(tmp_path, clock=clock).append(numbered(20, pad=20))
    path = only_segment(tmp_path)
    whole = path.read_bytes()
    ends = [index + 1 for index, byte in enumerate(whole) if byte == 10]

    for size in range(len(whole) - 1500, len(whole) + 1):
        path.write_bytes(whole[:size])
        found = numbers(read_all(reopened(tmp_path, clock)))
        assert found == list(range(sum(end <= size for end in ends)))
        for newer in sorted(tmp_path.glob("*.log"))[1:]:
            newer.unlink()


def test_bytes_cut_from_a_torn_tail_are_kept(tmp_path, clock):
    FileLog(tmp_path, clock=clock).append(numbered(2))
    path = only_segment(tmp_path)
    path.write_bytes(path.read_bytes()[:-5])

    log = reopened(tmp_path, clock)

    assert numbers(read_all(log)) == [0]
    assert [file.read_bytes()[-5:] for file in log.quarantine.iterdir()] == [b'pad":']


def test_every_flipped_bit_is_noticed_and_costs_at_most_two_events(tmp_path, clock):
    FileLog(tmp_path, clock=clock).append(numbered(30, pad=30))
    path = only_segment(tmp_path)
    whole = path.read_bytes()
    original = [str(event) for event in read_all(reopened(tmp_path, clock))]
    dice = random.Random(7)

    for _ in range(1000):
        bit = dice.randrange(len(whole) * 8)
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        found = [str(event) for event in read_all(reopened(tmp_path, clock))]
        assert set(found) < set(original)
        assert len(found) >= len(original) - 2


def test_damage_between_good_frames_is_reported_once(log):
    log.append(numbered(3))
    path = only_segment(log.quarantine.parent)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)

    assert numbers(read_all(log)) == [0, 2]
    assert numbers(read_all(log)) == [0, 2]
    assert len(list(log.quarantine.iterdir())) == 1


def test_damage_at_the_end_of_a_sealed_segment_does_not_stop_a_reader(log):
    log.append(numbered(2))
    log.seal()
    path = only_segment(log.quarantine.parent)
    path.write_bytes(path.read_bytes()[:-3] + b"??\n")
    log.append(numbered(1, start=2))

    assert numbers(read_all(log)) == [0, 2]


def test_damage_at_the_open_end_is_passed_as_soon_as_something_follows(log):
    log.append(numbered(2))
    path = only_segment(log.quarantine.parent)
    path.write_bytes(path.read_bytes()[:-3] + b"??\n")

    waiting = read_all(log)
    log.append(numbered(1, start=2))

    assert numbers(waiting) == [0]
    assert numbers(read_all(log)) == [0, 2]


def test_after_a_reboot_no_position_is_used_twice(tmp_path, clock):
    log = FileLog(tmp_path, clock=clock)
    reader_was_here = log.append(numbered(5))
    path = only_segment(tmp_path)
    path.write_bytes(path.read_bytes()[:60])  # the power loss took frames a reader had seen

    rebooted = reopened(tmp_path, clock)
    rebooted.append(numbered(1, start=5))

    assert numbers(read_all(rebooted, reader_was_here)) == [5]


def start_writer(folder: Path, *args: object) -> subprocess.Popen:
    command = [sys.executable, "-m", "tests.collector.log_writer", str(folder), *map(str, args)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def test_a_writer_killed_at_any_moment_loses_no_acknowledged_event(tmp_path):
    log = FileLog(tmp_path)
    acknowledged: list[int] = []
    dice = random.Random(3)

    for cycle in range(8):
        writer = start_writer(tmp_path, cycle * 1_000_000, 10**9)
        acknowledged.append(int(writer.stdout.readline()))
        time.sleep(dice.uniform(0, 0.05))
        writer.send_signal(signal.SIGKILL)
        acknowledged += [int(line) for line in writer.stdout.read().split("\n")[:-1]]
        writer.wait()
        log.append(numbered(1, start=cycle * 1_000_000 + 999_999))

    found = numbers(read_all(log))
    assert set(acknowledged) <= set(found)
    assert len(found) == len(set(found))


def test_a_half_written_group_is_cut_by_the_next_writer(log):
    log.append(numbered(1))
    with only_segment(log.quarantine.parent).open("ab") as file:
        file.write(b'deadbeef 90 {"received_at":"2026-')  # where SIGKILL hit

    log.append(numbered(1, start=1))

    assert numbers(read_all(log)) == [0, 1]
    assert len(list(log.quarantine.iterdir())) == 1


def test_whole_frames_of_a_killed_writer_are_kept_below_the_promise(tmp_path, clock):
    other = FileLog(tmp_path / "other", clock=clock)
    other.append(numbered(1, start=1))
    log = FileLog(tmp_path / "log", clock=clock)
    log.append(numbered(1))
    with only_segment(tmp_path / "log").open("ab") as file:
        file.write(only_segment(tmp_path / "other").read_bytes())  # written, but never recorded

    assert numbers(read_all(log)) == [0, 1]


def test_two_processes_append_at_once_and_nothing_is_lost_or_out_of_order(tmp_path):
    log = FileLog(tmp_path, segment_bytes=20_000)
    writers = [start_writer(tmp_path, start, 400) for start in (0, 1_000_000)]  # short output fits the pipe
    position, events, promised = 0, [], ""

    while any(writer.poll() is None for writer in writers):
        batch = log.read_after(position)
        fresh = [json.loads(frame.payload) for frame in batch.frames]
        assert all(event["received_at"] >= promised for event in fresh)
        promised = batch.watermark.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        events, position = events + fresh, batch.next
    events += read_all(log, position)

    assert sorted(numbers(events)) == [*range(400), *range(1_000_000, 1_000_400)]
    stamps = [event["received_at"] for event in events]
    assert stamps == sorted(stamps)


def test_a_full_disk_is_refused_and_everything_acknowledged_stays(tmp_path, clock):
    log = FileLog(tmp_path, clock=clock)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    acknowledged = 0
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(LogFull, match="free space"):
            for n in range(1000):
                log.append(numbered(1, start=n, pad=333))
                acknowledged = n + 1
        assert numbers(read_all(log)) == list(range(acknowledged))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    log.append(numbered(1, start=acknowledged))

    assert numbers(read_all(log)) == list(range(acknowledged + 1))
    assert acknowledged > 10


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount a 1 MiB tmpfs; the RLIMIT_FSIZE test ran")
def test_a_really_full_file_system_is_refused_and_recovers(tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=False).returncode:
        pytest.skip("mount refused: run where mounting a tmpfs is allowed")
    try:
        log = FileLog(folder)
        with pytest.raises(LogFull):
            for n in range(100_000):
                log.append(numbered(1, start=n, pad=3000))
        kept = numbers(read_all(log))
        assert kept == list(range(len(kept)))
        log.close()
    finally:
        subprocess.run(["umount", folder], check=True)


def test_after_a_failed_fdatasync_nothing_is_acknowledged_and_the_segment_is_left(log, monkeypatch):
    log.append(numbered(1))

    def broken(fd: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", broken)
    with pytest.raises(LogFailed, match="check the disk"):
        log.append(numbered(1, start=1))
    monkeypatch.undo()
    log.append(numbered(1, start=2))

    assert len(log.sealed()) == 1
    assert numbers(read_all(log))[-1] == 2
