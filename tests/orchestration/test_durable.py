"""Files of which nothing less than the whole is ever seen."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from orchestration.durable import create_once, durable_file


def test_a_write_that_fails_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "last_good"
    with durable_file(path) as file:
        file.write(b"old")

    with pytest.raises(RuntimeError), durable_file(path) as file:
        file.write(b"new")
        raise RuntimeError("no room")

    assert path.read_bytes() == b"old"


def test_whoever_creates_it_at_the_same_time_gets_the_same(tmp_path):
    path = tmp_path / "data" / "secret"
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda n: create_once(path, b"%d" % n), range(64)))

    assert found == {path.read_bytes()}
    assert path.stat().st_mode & 0o777 == 0o600
