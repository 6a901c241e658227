"""Delivery reports (RFC 3464): one block of fields per recipient."""

import re
from collections.abc import Iterator, Mapping

from collector.bounces.mail import Returned
from collector.bounces.verdict import Bounce, after_data, first_word, judged, short, understand
from collector.bounces.whom import about, original_recipient, plain_address, verp_of

_DELIVERED = ("delivered", "relayed", "expanded")


def from_reports(mail: Returned) -> Iterator[Bounce]:
    blocks = [block for report in mail.reports for block in report if _is_about_recipient(block)]
    seen: set[str] = set()
    for block in blocks:
        bounce = _of_block(block, mail, is_alone=len(blocks) == 1)
        if (bounce.recipient or "").lower() not in seen or bounce.recipient is None:
            seen.add((bounce.recipient or "").lower())
            yield bounce


def _is_about_recipient(block: Mapping[str, str]) -> bool:
    return any(
        name in block for name in ("final-recipient", "original-recipient", "action", "diagnostic-code")
    )


def _of_block(block: Mapping[str, str], mail: Returned, is_alone: bool) -> Bounce:
    action = first_word(block.get("action"), lower=True)
    given = _status(block.get("status"))
    diagnostic = _without_type(block.get("diagnostic-code") or "")
    if category := block.get(
        "x-powermta-bouncecategory"
    ):  # `bad-mailbox`: PowerMTA's own word, after the server's
        diagnostic += "\n" + category.replace("-", " ")
    recipient = _recipient_of(block, mail)
    if action in _DELIVERED or (given and given[0] == "2" and action != "failed"):
        return Bounce(recipient=recipient, kind="none", status=given, reason="delivered", action=action)
    notice = mail.notice if is_alone else about(recipient, mail.notice)
    reply = after_data(understand(diagnostic, notice, given), diagnostic, notice)
    return judged(reply, recipient, action, diagnostic or short(notice), is_delayed=action == "delayed")


def _recipient_of(block: Mapping[str, str], mail: Returned) -> str | None:
    """The address we wrote to is the original one; a relay may have rewritten it."""
    named = (block.get("original-recipient"), block.get("final-recipient"), block.get("x-actual-recipient"))
    return next(filter(None, map(plain_address, named)), None) or verp_of(mail) or original_recipient(mail)


def _status(value: str | None) -> str | None:
    found = re.search(r"[245]\.\d{1,3}\.\d{1,3}", value or "")
    return found[0] if found else None


def _without_type(diagnostic: str) -> str:
    return re.sub(r"^\s*[A-Za-z0-9-]+\s*;\s*", "", diagnostic)
