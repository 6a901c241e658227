"""What is concluded from a refusal: hard or soft, and for whom."""

import re
from dataclasses import dataclass, replace
from typing import Literal

from collector.bounces.meaning import (
    Reply,
    is_after_data,
    is_unequivocal,
    names_address,
    read_reply,
    status_in,
)

Kind = Literal["hard", "soft", "complaint", "none"]


@dataclass(frozen=True, kw_only=True)
class Bounce:
    """What one mail says about one recipient."""

    recipient: str | None
    kind: Kind
    status: str | None = None  # enhanced code
    reply: str | None = None  # SMTP reply code
    reason: str = "undefined"
    action: str | None = None  # failed, delayed, delivered, … of a delivery report
    diagnostic: str | None = None


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What one mail says."""

    bounces: tuple[Bounce, ...]  # never empty; kind `none` for a mail that is no bounce
    mail_id: str | None = None  # Message-ID of the mail that came back
    message_id: str | None = None  # of ours that it is about
    decision_id: str | None = None
    returned_to: str | None = None  # the address it came back to
    verp: str | None = None  # the address it came back to, where that names the recipient

    @property
    def worst(self) -> Bounce:
        """The one to be counted if only one can be."""
        return min(self.bounces, key=lambda bounce: _WEIGHT.index(bounce.kind))


_WEIGHT: tuple[Kind, ...] = ("complaint", "hard", "soft", "none")
SAYS_LITTLE = ("undefined", "policy", "system", "expired", "network")


def understand(diagnostic: str, notice: str, status: str | None) -> Reply:
    """The server's own words first; what is written for people only where they say nothing."""
    own = read_reply(diagnostic, status)
    if own.reason not in SAYS_LITTLE:
        return own
    told = read_reply(notice, own.status, own.code)
    return told if told.reason not in SAYS_LITTLE or own.reason == "undefined" else own


def after_data(reply: Reply, diagnostic: str, notice: str) -> Reply:
    """Where the report leaves out what the text tells: that the mailbox was refused only after DATA."""
    is_about_address = (
        names_address(reply.status) or status_in(diagnostic) is not None or is_unequivocal(diagnostic)
    )
    if reply.reason != "mailbox_unknown" or is_about_address or not is_after_data(notice):
        return reply
    return replace(reply, reason="filtered")


def judged(
    reply: Reply, recipient: str | None, action: str | None, diagnostic: str, is_delayed: bool
) -> Bounce:
    """Whoever still tries has not failed."""
    return Bounce(
        recipient=recipient,
        kind="hard" if reply.is_hard and not is_delayed else "soft",
        status=reply.status,
        reply=reply.code,
        reason=reply.reason,
        action=action or ("delayed" if is_delayed else "failed"),
        diagnostic=short(diagnostic) or None,
    )


def first_word(value: str | None, lower: bool = False) -> str | None:
    words = (value or "").split()
    return (words[0].lower() if lower else words[0]) if words else None


def short(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()[:500]
