"""Puts the links of an email through our own address, so that a click is known, and adds a picture that tells of opens.

Only links to the shop's own hosts, and those a template spells out, are replaced: an address that came
with somebody's data stays what it is, and no link of ours can lead to it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from html import escape, unescape
from urllib.parse import urlsplit

from senders.mime import Body

TRAP = 0  # the link that no person sees; whoever follows it is a machine
_LINK = r"""(<a\s(?:[^>]*?\s)?href=)(["'])(https?://[^"'<>]*)\2"""
_ANCHOR = re.compile(_LINK)  # twice as fast where capitals do not matter
_SHOUTED_ANCHOR = re.compile(_LINK, re.IGNORECASE)
_PLAIN = re.compile(r"https?://[^\s<>\"'`]+")
_TRAILING = ".,;:!?)]}"  # the sentence's, not the address's

# Out of sight, out of the reading order, out of the tab order.
_TRAP = '<a href="{url}" aria-hidden="true" tabindex="-1" style="display:none" rel="nofollow"></a>'
_PIXEL = '<img src="{url}" width="1" height="1" alt="" aria-hidden="true" style="display:block;border:0">'


@dataclass(frozen=True)
class Tracking:
    """What is followed, and how; made by whoever knows where clicks arrive.

    `click_url` takes decision, number of the link, destination and the email's date, and returns the address to print;
    it raises ValueError for a destination that no link may lead to. What it needs is on the disk once `make_durable`
    returns, which the dispatcher calls before any email leaves.
    """

    hosts: frozenset[str] = frozenset()  # links to these, and to their subdomains, are replaced
    click_url: Callable[[str, int, str, datetime], str] | None = None
    open_url: Callable[[str], str] | None = None  # of a decision
    make_durable: Callable[[], None] = field(default=lambda: None)

    def apply(
        self,
        body: Body,
        decision_id: str,
        at: datetime,
        home_url: str,
        written: frozenset[str] = frozenset(),
        kept: frozenset[str] = frozenset(),
    ) -> Body:
        """The same email with its links replaced. `written` are links that the template itself spells out.

        `kept` stay as they are: leaving must not depend on anything. HTML and text share the numbers, 1 is the first
        destination of the HTML. The trap leads to `home_url`.
        """
        html, text, hidden = body.html, body.text, ""
        if self.click_url is not None:
            work = _Replacing(self, decision_id, at, written, kept)
            html = (_SHOUTED_ANCHOR if "<A" in html else _ANCHOR).sub(work.anchor, html)
            text = _PLAIN.sub(work.plain, text)
            if self.is_the_shop_s(home_url):
                hidden += _TRAP.format(url=escape(self.click_url(decision_id, TRAP, home_url, at)))
        if self.open_url is not None:
            hidden += _PIXEL.format(url=escape(self.open_url(decision_id)))
        return Body(body.subject, _before_the_end(html, hidden), text)

    def is_the_shop_s(self, url: str) -> bool:
        """Whether an address is on a host whose links are followed."""
        try:
            host = (urlsplit(url).hostname or "").lower()
        except ValueError:
            return False
        return any(host == ours or host.endswith(f".{ours}") for ours in self.hosts)


class _Replacing:
    """The links of one email, numbered as they come."""

    def __init__(
        self,
        tracking: Tracking,
        decision_id: str,
        at: datetime,
        written: frozenset[str],
        kept: frozenset[str],
    ) -> None:
        self._tracking, self._decision_id, self._at = tracking, decision_id, at
        self._written, self._kept = written, kept
        self._replaced: dict[str, str] = {}

    def anchor(self, match: re.Match[str]) -> str:
        """A link of the HTML, whose address is escaped."""
        replaced = self._replace(unescape(match[3]))
        return match[0] if replaced is None else f"{match[1]}{match[2]}{escape(replaced)}{match[2]}"

    def plain(self, match: re.Match[str]) -> str:
        """An address in the text."""
        url = match[0].rstrip(_TRAILING)
        replaced = self._replace(url)
        return match[0] if replaced is None else replaced + match[0][len(url) :]

    def _replace(self, url: str) -> str | None:
        if url in self._replaced:
            return self._replaced[url]
        if url in self._kept or not (url in self._written or self._tracking.is_the_shop_s(url)):
            return None
        try:
            replaced = self._tracking.click_url(self._decision_id, len(self._replaced) + 1, url, self._at)
        except ValueError:
            return None  # it stays as it was written
        self._replaced[url] = replaced
        return replaced


def _before_the_end(html: str, hidden: str) -> str:
    """Into the body's end; a fragment without one just grows."""
    if not hidden:
        return html
    at = html.rfind("</body")
    if at < 0:
        at = html.rfind("</BODY")
    return html + hidden if at < 0 else html[:at] + hidden + html[at:]
