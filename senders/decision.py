"""What the decision models hand to the sender: one candidate, decided, with its reasons."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Decision:
    """One candidate after the rules have spoken, to be sent or not.

    `decision_id` is a hash of trigger, business key, step and epoch, never of a run or a clock:
    whoever derives the decision again derives the same id, and the ledger knows it already.
    """

    decision_id: str
    trigger_name: str
    touch: int
    entity_id: str
    visitor_id: str
    qualifies_at: datetime
    expires_at: datetime  # too late from here on, unless it waits on purpose: it expires instead of surprising someone
    should_send: bool  # the conjunction of `reasons`
    is_ghost: bool = False  # withheld from a control group at the moment it would have been sent
    session_id: str | None = None
    customer_id: str | None = None
    needs_review: bool = False
    review_reason: str | None = None  # which rules want a person to look at it
    # How long quiet hours, a reviewer or the volume limit may keep it at most. None = not beyond `expires_at`.
    hold_until: datetime | None = None
    reasons: Mapping[str, bool] = field(default_factory=dict)
    evidence: Mapping[str, Any] = field(default_factory=dict)
    to_address: str | None = None
    timezone: str | None = None  # IANA name, for quiet hours
    route: str | None = None
    variant: str | None = None
    template: str | None = None  # "cart_abandonment/touch_1"
    subject: str | None = None  # Jinja source, rendered in the same sandbox as the template
    content: Mapping[str, Any] = field(default_factory=dict)  # the template's context
    exit_events: tuple[str, ...] = ()  # events that cancel it, e.g. ("Order Completed",)
    position: int = 0  # exits from here on cancel it: the event behind the last one it is about
    timings: Mapping[str, float] = field(
        default_factory=dict
    )  # epoch seconds: occurred, received, read, decided
