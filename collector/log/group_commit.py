"""Thousands of requests share one fdatasync: they queue while the last group is on its way to the disk.

The queue is bounded: when the disk cannot keep up, clients are told to slow down instead of filling memory.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import NamedTuple

from collector.log.base import EventLog


class Overloaded(RuntimeError):
    """The queue is full: answer 429 and let the client come back."""


class _Waiting(NamedTuple):
    payloads: Sequence[bytes]
    size: int  # bytes
    done: asyncio.Future[int]


class GroupCommit:
    """An asyncio front of an `EventLog`; use it within one event loop."""

    def __init__(
        self, log: EventLog, max_pending_bytes: int = 64 << 20, max_group_bytes: int = 8 << 20
    ) -> None:
        self._log = log
        self._max_pending_bytes = max_pending_bytes
        self._max_group_bytes = max_group_bytes
        self._waiting: deque[_Waiting] = deque()
        self._task: asyncio.Task[None] | None = None
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="log-writer")
        self.pending_bytes = 0
        self.trouble: str | None = None  # why the last commit failed

    async def append(self, payloads: Sequence[bytes]) -> int:
        """Return once all payloads are durable. After `Overloaded`, `LogFull`, `LogFailed` ack nothing."""
        size = sum(map(len, payloads))
        if self.pending_bytes and self.pending_bytes + size > self._max_pending_bytes:
            raise Overloaded(f"{self.pending_bytes} bytes wait for the disk")
        done = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(payloads, size, done))
        self.pending_bytes += size
        if self._task is None:
            self._task = asyncio.create_task(self._drain())
        return await done

    async def close(self) -> None:
        """Finish what was queued, then let the writer thread go."""
        if self._task:
            await self._task
        self._writer.shutdown()

    async def _drain(self) -> None:
        """Commit group after group until nobody waits."""
        try:
            while self._waiting:
                group = self._take()
                await self._commit(group)
        finally:
            self._task = None

    def _take(self) -> list[_Waiting]:
        group, size = [self._waiting.popleft()], 0
        while self._waiting and (size := size + group[-1].size) < self._max_group_bytes:
            group.append(self._waiting.popleft())
        return group

    async def _commit(self, group: list[_Waiting]) -> None:
        """One append for the whole group; its fate is everybody's fate."""
        payloads = [payload for waiting in group for payload in waiting.payloads]
        loop = asyncio.get_running_loop()
        try:
            position = await loop.run_in_executor(self._writer, self._log.append, payloads)
        except Exception as error:  # whatever it was, nobody may be acknowledged
            self.trouble = str(error)
            _fail(group, error)
        else:
            self.trouble = None
            _settle(group, position)
        self.pending_bytes -= sum(waiting.size for waiting in group)


def _settle(group: list[_Waiting], position: int) -> None:
    for waiting in group:
        if not waiting.done.done():  # a client that hung up has cancelled its future
            waiting.done.set_result(position)


def _fail(group: list[_Waiting], error: Exception) -> None:
    for waiting in group:
        with suppress(asyncio.InvalidStateError):
            waiting.done.set_exception(error)
