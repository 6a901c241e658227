"""Appending and reading in peaceful times."""

import json
from datetime import timedelta

import pytest

from collector.log import FileLog, PositionLost, split_position
from tests.collector.conftest import MORNING
from tests.collector.log_tools import numbered, numbers, read_all


def test_what_was_appended_is_read_back_in_order(log):
    log.append(numbered(3))
    log.append(numbered(2, start=3))

    assert numbers(read_all(log)) == [0, 1, 2, 3, 4]


def test_the_instant_of_arrival_is_the_first_key(log):
    log.append([b'{"n":1}'])

    payload = log.read_after(0).frames[0].payload

    assert payload == b'{"received_at":"2026-11-23T11:00:00.000000Z","n":1}'


def test_append_returns_where_the_next_reader_goes_on(log):
    position = log.append(numbered(3))
    log.append(numbered(1, start=3))

    assert numbers(read_all(log, position)) == [3]


def test_a_clock_that_steps_back_does_not_turn_time_back(log, clock):
    log.append(numbered(1))
    clock.pass_seconds(-3600)
    log.append(numbered(1, start=1))

    first, second = read_all(log)

    assert first["received_at"] == second["received_at"]


def test_a_raw_line_feed_is_refused_because_it_would_make_two_lines(log):
    with pytest.raises(ValueError, match="one line"):
        log.append([b'{"n":\n1}'])

    assert read_all(log) == []


def test_a_payload_without_a_key_is_refused(log):
    with pytest.raises(ValueError, match="begins with a key"):
        log.append([b"[]"])


def test_an_idle_log_promises_that_time_went_on(log, clock):
    log.append(numbered(1))
    clock.pass_seconds(90)

    batch = log.read_after(log.append([]))

    assert batch.frames == []
    assert batch.watermark == MORNING + timedelta(seconds=90)


def test_a_promise_holds_even_if_the_clock_steps_back(log, clock):
    promised = log.read_after(0).watermark
    clock.pass_seconds(-60)
    log.append(numbered(1))

    assert read_all(log)[0]["received_at"] >= promised.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def test_a_batch_cut_short_promises_only_its_last_frame(log, clock):
    log.append(numbered(1, pad=100_000))
    clock.pass_seconds(5)
    log.append(numbered(1, start=1, pad=1_000_000))

    batch = log.read_after(0, max_bytes=1)

    assert [json.loads(frame.payload)["n"] for frame in batch.frames] == [0]
    assert batch.watermark == MORNING


def test_a_frame_larger_than_the_batch_is_still_read(log):
    log.append(numbered(1, pad=1_000_000))

    assert numbers(read_all(log, max_bytes=10)) == [0]


def test_segments_are_sealed_by_size(tmp_path, clock):
    log = FileLog(tmp_path, segment_bytes=1000, clock=clock)

    for n in range(50):
        log.append(numbered(1, start=n, pad=100))

    assert len(log.sealed()) > 3
    assert numbers(read_all(log)) == list(range(50))


def test_segments_are_sealed_by_age(log, clock):
    log.append(numbered(1))
    clock.pass_seconds(301)
    log.append(numbered(1, start=1))

    assert len(log.sealed()) == 1
    assert numbers(read_all(log)) == [0, 1]


def test_a_reader_never_skips_a_segment(tmp_path, clock):
    log = FileLog(tmp_path, segment_bytes=500, clock=clock)
    position, seen = 0, []

    for n in range(60):
        log.append(numbered(3, start=3 * n, pad=n))
        batch = log.read_after(position, max_bytes=1 + n * 20)
        seen += [json.loads(frame.payload)["n"] for frame in batch.frames]
        position = batch.next

    assert seen + numbers(read_all(log, position)) == list(range(180))


def test_a_reader_at_the_end_goes_on_after_the_segment_was_sealed_and_removed(log):
    position = log.append(numbered(2))
    log.seal()
    log.remove(log.sealed()[0])
    log.append(numbered(1, start=2))

    assert numbers(read_all(log, position)) == [2]
    assert numbers(read_all(log)) == [2]


def test_a_reader_behind_a_removed_segment_is_told_so(log):
    first = log.append(numbered(1))
    log.append(numbered(1, start=1))
    log.seal()
    log.remove(log.sealed()[0])

    with pytest.raises(PositionLost, match="rebuild from the archive"):
        log.read_after(first)


def test_a_position_behind_the_end_is_refused_loudly(log):
    position = log.append(numbered(1))

    with pytest.raises(PositionLost, match="another log"):
        log.read_after(position + 1)


def test_only_the_oldest_sealed_segment_can_be_removed(tmp_path, clock):
    log = FileLog(tmp_path, segment_bytes=1, clock=clock)
    for n in range(3):
        log.append(numbered(1, start=n))

    with pytest.raises(ValueError, match="oldest"):
        log.remove(log.sealed()[1])


def test_a_sealed_segment_can_be_read_whole(tmp_path, clock):
    log = FileLog(tmp_path, segment_bytes=1000, clock=clock)
    log.append(numbered(200))
    log.append(numbered(1, start=200))

    frames = list(log.frames_of(log.sealed()[0]))

    assert [json.loads(frame.payload)["n"] for frame in frames] == list(range(200))


def test_a_removal_that_was_interrupted_is_not_read_twice(tmp_path, clock):
    log = FileLog(tmp_path, segment_bytes=1, clock=clock)
    log.append(numbered(1))
    log.append(numbered(1, start=1))
    oldest = log.sealed()[0]
    kept = oldest.path.read_bytes()
    log.remove(oldest)
    oldest.path.write_bytes(kept)  # as if the process had died before it deleted the file

    assert numbers(read_all(log)) == [1]
    assert split_position(log.read_after(0).next)[0] == 2
