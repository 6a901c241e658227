"""Many waiters, one fdatasync, a bounded queue."""

import asyncio
import threading

import pytest

from collector.log import FileLog, GroupCommit, LogFull, Overloaded
from tests.collector.log_tools import numbered, numbers, read_all


class SlowLog:
    """A log whose disk waits for permission."""

    def __init__(self) -> None:
        self.groups: list[int] = []
        self.go = threading.Event()

    def append(self, payloads):
        self.go.wait(5)
        self.groups.append(len(payloads))
        return len(self.groups)


async def append_all(log, count):
    group = GroupCommit(log)
    await asyncio.gather(*(group.append(numbered(1, start=n)) for n in range(count)))
    await group.close()


def test_everybody_who_waited_is_in_the_log(log: FileLog):
    asyncio.run(append_all(log, 500))

    assert sorted(numbers(read_all(log))) == list(range(500))


def test_who_arrives_during_a_commit_shares_the_next_one():
    log = SlowLog()

    async def story():
        group = GroupCommit(log)
        first = asyncio.create_task(group.append([b"1"]))
        await asyncio.sleep(0.05)
        others = [asyncio.create_task(group.append([b"x"])) for _ in range(99)]
        await asyncio.sleep(0.05)
        log.go.set()
        await asyncio.gather(first, *others)
        await group.close()

    asyncio.run(story())

    assert log.groups == [1, 99]


def test_a_full_queue_says_so_instead_of_growing():
    log = SlowLog()

    async def story():
        group = GroupCommit(log, max_pending_bytes=1000)
        waiting = [asyncio.create_task(group.append([b"x" * 400])) for _ in range(2)]
        await asyncio.sleep(0.05)
        with pytest.raises(Overloaded):
            await group.append([b"x" * 400])
        log.go.set()
        await asyncio.gather(*waiting)
        assert group.pending_bytes == 0
        await group.append([b"x" * 400])
        await group.close()

    asyncio.run(story())


def test_a_failed_commit_fails_everyone_in_it_and_the_next_one_works():
    class FullOnce(SlowLog):
        def append(self, payloads):
            if not self.groups:
                self.groups.append(0)
                raise LogFull(28, "no room")
            return super().append(payloads)

    async def story():
        log = FullOnce()
        log.go.set()
        group = GroupCommit(log)
        failed = await asyncio.gather(*(group.append([b"x"]) for _ in range(5)), return_exceptions=True)
        assert all(isinstance(error, LogFull) for error in failed)
        assert await group.append([b"y"]) == 2
        await group.close()

    asyncio.run(story())


def test_a_client_that_hangs_up_does_not_harm_the_others(log: FileLog):
    async def story():
        group = GroupCommit(log)
        leaving = asyncio.create_task(group.append(numbered(1)))
        staying = asyncio.create_task(group.append(numbered(1, start=1)))
        await asyncio.sleep(0)
        leaving.cancel()
        await staying
        await group.close()

    asyncio.run(story())

    assert 1 in numbers(read_all(log))
