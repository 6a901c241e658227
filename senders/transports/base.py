"""What every transport offers: lanes that deliver a few messages and ask before the point of no return."""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from senders.ledger.ledger import Verdict
from senders.ledger.recovery import InDoubt
from senders.mime import Message
from senders.outcome import Outcome

# Commits the intents durably, in one transaction; returns the decision ids that may go out.
Commit = Callable[[Sequence[Message]], set[str]]


class Lane(Protocol):
    """A few warm connections, used by one thread in step, so that their intents share one commit."""

    width: int  # how many messages it takes at a time

    def deliver(self, messages: Iterable[Message], commit: Commit) -> dict[str, Outcome]:
        """Deliver up to `width` messages; outcomes by decision id, none for what `commit` did not permit.

        Messages are built as they are taken, so a lane that starts with the first one at once
        lets the server work while the next is built.
        `commit` is called at most once, when everything is done but the one step that makes a
        message accepted, with the messages that got so far. Whatever fails before it is "deferred"
        or "rejected", whatever is unanswered after it is "lost". Never raises for what a server or
        a network does; what `commit` raises passes through, with no message accepted.
        """
        ...

    def close(self) -> None:
        """Let go of the connections."""
        ...


class Transport(Protocol):
    """Opens lanes, and knows whether it can answer for a message of doubtful fate."""

    def open_lane(self) -> Lane:
        """A lane; its connections may dial only when they are needed."""
        ...

    def resolve(self, doubt: InDoubt) -> Verdict:
        """`accepted` or `absent` only with proof; `unknown` otherwise."""
        ...
