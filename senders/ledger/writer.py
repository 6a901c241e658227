"""The one writer: many threads ask, one thread writes, and whoever asks at the same time shares an fsync."""

import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar

from senders.ledger import audit, db
from senders.ledger.mark import Mark, MarkFile

T = TypeVar("T")

# So many operations share one transaction at most: beyond it the fsync is no longer what costs.
_GROUP = 512


class LedgerBroken(RuntimeError):
    """The disk refused a commit. A failed fsync must not be retried: what it meant to save may be gone."""


class Transaction:
    """What an operation may use: the connection, and the audit. It must not commit."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.execute = connection.execute
        self.last = audit.head(connection)
        self.mark_at_us: int | None = None

    def audit(
        self, at_us: int, event: str, id: int | None = None, subject: str | None = None, **detail: Any
    ) -> None:
        """Seal one fact into the chain."""
        self.last = audit.append(self.connection, self.last, at_us, event, id, subject, detail)

    def mark(self, at_us: int) -> None:
        """Make the high-water mark durable with this commit, before anyone hears of it."""
        self.mark_at_us = max(at_us, self.mark_at_us or 0)


Operation = Callable[[Transaction], T]


class Ticket(Generic[T]):
    """The answer to one operation, once it is durable."""

    __slots__ = ("_done", "_error", "_operation", "_value")

    def __init__(self, operation: Operation[T]) -> None:
        self._operation = operation
        self._done = threading.Lock()  # far lighter than a Future, and this is the hot path
        self._done.acquire()
        self._error: BaseException | None = None
        self._value: Any = None

    def result(self) -> T:
        """Wait for the commit; raises what the operation raised."""
        with self._done:
            if self._error is not None:
                raise self._error
            return self._value

    def attempt(self, transaction: Transaction) -> None:
        """Run inside a savepoint: an operation that fails leaves no trace and harms no neighbour."""
        last = transaction.last
        transaction.execute("savepoint operation")
        try:
            self._value = self._operation(transaction)
        except BaseException as error:
            self._error = error
            transaction.execute("rollback to operation")
            transaction.last = last
        transaction.execute("release operation")

    def finish(self, error: BaseException | None = None) -> None:
        """Answer the one who waits. `error` says that the commit itself failed."""
        self._error = error or self._error
        self._done.release()


class Writer:
    """A thread with the only writing connection of this process."""

    def __init__(self, path: Path, mark: MarkFile) -> None:
        self._path = path
        self._mark = mark
        self._waiting: deque[Ticket[Any]] = deque()
        self._signal = threading.Semaphore(0)
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._closed = False
        self._broken: LedgerBroken | None = None

    def submit(self, operation: Operation[T]) -> Ticket[T]:
        """Queue an operation. Its ticket answers when it is on the disk."""
        if self._closed:
            raise RuntimeError("the ledger is closed: open it again")
        ticket: Ticket[T] = Ticket(operation)
        self._waiting.append(ticket)
        self._signal.release()
        if self._thread is None:
            self._start()
        return ticket

    def run(self, operation: Operation[T]) -> T:
        """Submit and wait."""
        return self.submit(operation).result()

    def close(self) -> None:
        """Finish what was asked for, then stop."""
        self._closed = True
        self._signal.release()
        if self._thread is not None:
            self._thread.join()

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="ledger-writer", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        connection = db.connect(self._path)
        while True:
            self._signal.acquire()
            if group := self._take_group():
                self._commit(connection, group)
            elif self._closed:
                break
        connection.close()

    def _take_group(self) -> list[Ticket[Any]]:
        group: list[Ticket[Any]] = []
        while self._waiting and len(group) < _GROUP:
            group.append(self._waiting.popleft())
            if len(group) > 1:
                self._signal.acquire(blocking=False)
        return group

    def _commit(self, connection: sqlite3.Connection, group: list[Ticket[Any]]) -> None:
        error: BaseException | None = self._broken
        if error is None:
            try:
                self._write(connection, group)
            except (sqlite3.Error, OSError) as problem:
                error = self._give_up(connection, problem)
        for ticket in group:
            ticket.finish(error)

    def _write(self, connection: sqlite3.Connection, group: list[Ticket[Any]]) -> None:
        connection.execute("begin immediate")
        transaction = Transaction(connection)
        for ticket in group:
            ticket.attempt(transaction)
        connection.execute("commit")
        if transaction.mark_at_us is not None:
            self._mark.write(Mark(*transaction.last, transaction.mark_at_us))

    def _give_up(self, connection: sqlite3.Connection, problem: Exception) -> LedgerBroken:
        """Nothing of this group counts. A full disk or a busy neighbour passes; the rest ends this writer."""
        if connection.in_transaction:
            connection.execute("rollback")
        passes = "locked" in str(problem) or "full" in str(problem)
        error = LedgerBroken(
            f"the ledger could not commit ({problem}): nothing of this was saved; "
            + ("free disk space or end the other writer, then try again" if passes else "restart to recover")
        )
        if not passes:
            self._broken = error
        return error
