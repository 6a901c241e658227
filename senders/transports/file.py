"""Writes each email to a folder as an .eml file: for demos, replays and tests."""

import os
from collections.abc import Iterable
from pathlib import Path

from senders.ledger.ledger import Verdict
from senders.ledger.recovery import InDoubt
from senders.mime import Message
from senders.outcome import Outcome
from senders.transports.base import Commit


class FileTransport:
    """One file per decision, named after it: writing it twice leaves one. It is its own lane."""

    width = 256

    def __init__(self, folder: Path, durable: bool = True) -> None:
        """`durable=False` skips the fsyncs, for replays that can be run again."""
        self._folder = folder
        self._durable = durable
        folder.mkdir(parents=True, exist_ok=True)

    def open_lane(self) -> "FileTransport":
        """A folder needs no connection."""
        return self

    def close(self) -> None:
        """Nothing to let go of."""

    def deliver(self, messages: Iterable[Message], commit: Commit) -> dict[str, Outcome]:
        """Write all parts, commit, then rename each: the rename is the dot."""
        outcomes: dict[str, Outcome] = {}
        written = [message for message in messages if self._write(message, outcomes)]
        permitted = commit(written) if written else set()
        for message in written:
            if message.decision_id in permitted:
                outcomes[message.decision_id] = self._rename(message.decision_id)
            else:
                self._part(message.decision_id).unlink(missing_ok=True)
        self._sync_folder()
        return outcomes

    def resolve(self, doubt: InDoubt) -> Verdict:
        """A folder can be asked: the file is there or it is not."""
        return "accepted" if self._path(doubt.decision_id).exists() else "absent"

    def _path(self, decision_id: str) -> Path:
        return self._folder / f"{decision_id}.eml"

    def _part(self, decision_id: str) -> Path:
        return self._folder / f"{decision_id}.part"

    def _write(self, message: Message, outcomes: dict[str, Outcome]) -> bool:
        """True when the whole message lies beside its place."""
        try:
            with self._part(message.decision_id).open("wb") as file:
                file.write(message.raw)
                if self._durable:
                    file.flush()
                    os.fsync(file.fileno())
        except OSError as error:
            problem = f"cannot write into the outbox folder: {error.strerror}"
            outcomes[message.decision_id] = Outcome("deferred", problem)
            return False
        return True

    def _rename(self, decision_id: str) -> Outcome:
        try:
            os.replace(self._part(decision_id), self._path(decision_id))
        except OSError as error:
            return Outcome("lost", f"cannot rename in the outbox folder: {error.strerror}")
        return Outcome("accepted", f"{decision_id}.eml")

    def _sync_folder(self) -> None:
        if self._durable:
            descriptor = os.open(self._folder, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)
