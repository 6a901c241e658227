"""What orchestration reads in the log and the ledger must know before the next gate."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

# In order of weight. Only a fresh double opt-in lifts one, and never the first two.
SuppressionReason = Literal["complaint", "objection", "unsubscribe", "hard_bounce", "list_opt_out"]
BY_WEIGHT = ("complaint", "objection", "unsubscribe", "hard_bounce", "list_opt_out")
NEVER_LIFTED = ("complaint", "objection")


@dataclass(frozen=True)
class Exit:
    """Someone did what an email would have asked for (`Order Completed`, say)."""

    person: str  # customer or visitor id
    event_name: str
    position: int  # in the log
    received_at: datetime


@dataclass(frozen=True)
class ExitWithdrawn:
    """What looked like a person's doing was a machine's: exits of this event from `position` on are none."""

    person: str
    event_name: str
    position: int
    at: datetime


@dataclass(frozen=True)
class Suppression:
    """Never again, by address, by person, or by whoever got a decision. At least one of the three."""

    reason: SuppressionReason
    at: datetime
    address: str | None = None
    person: str | None = None
    decision_id: str | None = None
    source: str = "log"


@dataclass(frozen=True)
class OptOut:
    """Less mail, as whoever got a decision chose: none about its trigger, or none at all until an instant."""

    decision_id: str
    at: datetime
    trigger_name: str | None = None  # None: about anything
    until: datetime | None = None  # None: for good
    source: str = "log"

    def __post_init__(self) -> None:
        if self.trigger_name is None and self.until is None:
            raise ValueError("that is a suppression: say what it is about, or until when it lasts")


@dataclass(frozen=True)
class Consent:
    """Marketing mail allowed or withdrawn. `double_opt_in` lifts older suppressions of the same keys."""

    granted: bool
    at: datetime
    address: str | None = None
    person: str | None = None
    double_opt_in: bool = False
    source: str = "log"


@dataclass(frozen=True)
class Alias:
    """Two identities turned out to be one person. Their caps add up; nothing is ever reset."""

    person: str
    alias: str
    at: datetime


Fact = Exit | ExitWithdrawn | Suppression | OptOut | Consent | Alias
