"""What came of one delivery attempt, in a small shared vocabulary."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["accepted", "deferred", "rejected", "lost", "unrenderable", "undotted"]


@dataclass(frozen=True)
class Outcome:
    """One attempt's end.

    accepted      the server said 250 after the dot
    deferred      4xx, or the connection failed before the dot: provably not accepted, try again later
    rejected      5xx that concerns this message or recipient: never try again
    lost          the dot may have been sent and nobody answered: only the provider can know
    unrenderable  the template refused; a person has to look
    undotted      the intent was committed, but the dot was never written: provably not accepted
    """

    kind: Kind
    detail: str = ""  # the reply, or the error with its next step; never the recipient's address
