"""Which clicks of the last minute were a machine's, as far as they tell together: all links at once, or the hidden one.

The models judge again, over everything (int_email_hits). This is for the gate, which cannot wait for them: a click
counts as a person's until its neighbours say otherwise, and is then taken back.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

# Nobody reads an email, or follows several of its links, within this time. The models use the same figures (vars).
MOMENT = timedelta(seconds=2)
SEVERAL_LINKS = 3
VISIT = timedelta(seconds=60)  # of a scanner, around the hidden link
HIDDEN_LINK = 0

_MOST_EMAILS = 10_000


@dataclass
class Click:
    """One link of one email, followed."""

    at: datetime  # aware UTC
    link: int
    position: int  # in the log
    reason: str | None  # why it was no person; None as long as nothing says so


@dataclass(frozen=True)
class Verdict:
    """What a click is, and from which position on earlier ones have to be taken back."""

    reason: str | None
    withdraw_from: int | None = None


class RecentClicks:
    """A short memory of clicks, by email. A restart empties it: then a machine's click may count, never the other way."""

    def __init__(self) -> None:
        self._clicks: OrderedDict[str, list[Click]] = OrderedDict()

    def judge(self, decision_id: str, click: Click) -> Verdict:
        """Take in one click, in the order of the log."""
        before = [each for each in self._clicks.pop(decision_id, []) if click.at - each.at <= VISIT]
        together = [*before, click]
        withdrawn = [each.position for each in before if not each.reason and _mark(each, together)]
        _mark(click, together)
        self._clicks[decision_id] = together
        if len(self._clicks) > _MOST_EMAILS:
            self._clicks.popitem(last=False)
        return Verdict(click.reason, min(withdrawn, default=None))


def _mark(click: Click, together: list[Click]) -> bool:
    """Whether this click is a machine's, for what the others tell."""
    near = {each.link for each in together if each.link != HIDDEN_LINK and abs(each.at - click.at) <= MOMENT}
    if not click.reason and len(near) >= SEVERAL_LINKS:
        click.reason = "all_at_once"
    if not click.reason and any(each.link == HIDDEN_LINK for each in together):
        click.reason = "with_hidden_link"
    return click.reason is not None
