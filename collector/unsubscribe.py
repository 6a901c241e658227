"""Leaving must be as easy as arriving: one page, a few buttons, and the mail program's own button.

GET shows the page and changes nothing, because link scanners follow every link in every mail.
POST acts: it is durable before the 200, needs no cookie and never redirects (RFC 8058). What a mail program
posts names no choice of the page, and means everything.
"""

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from collector import pages
from collector.events import own_event
from collector.links import UNSUBSCRIBE, Links
from collector.log import GroupCommit, LogFailed, LogFull, Overloaded

PAUSE_DAYS = 30
# What each button means; a person who chooses less than everything stays a reader.
EVENTS = {"all": "Email Unsubscribed", "topic": "Email Topic Unsubscribed", "pause": "Email Paused"}
_REMEMBERED = 10_000  # wishes that are already durable; the log need not grow with each click
_FORM_BYTES = 16 * 1024


class Unsubscribe:
    """Both sides of the unsubscribe link."""

    def __init__(
        self, links: Links | None, group: GroupCommit, now: Callable[[], datetime], retry_after: int
    ) -> None:
        self._links = links
        self._group = group
        self._now = now
        self._retry_after = str(retry_after)
        self._done: OrderedDict[str, None] = OrderedDict()

    async def show(self, request: Request) -> Response:
        """Ask; a scanner that follows the link changes nothing."""
        if not self._decision(request):
            return HTMLResponse(pages.invalid_link(), status_code=404)
        return HTMLResponse(pages.ask(PAUSE_DAYS), headers={"cache-control": "no-store"})

    async def act(self, request: Request) -> Response:
        """Unsubscribe, or do less if the page's form says so; the token is the authorisation."""
        decision_id = self._decision(request)
        if not decision_id:
            return HTMLResponse(pages.invalid_link(), status_code=404)
        choice = _choice(await _read_form(request))
        try:
            await self._record(decision_id, choice)
        except (Overloaded, LogFull, LogFailed):
            return self._later()
        return HTMLResponse(pages.done(choice, PAUSE_DAYS), headers={"cache-control": "no-store"})

    def _decision(self, request: Request) -> str | None:
        token = request.path_params["token"]
        return self._links.verify(token, UNSUBSCRIBE) if self._links else None

    async def _record(self, decision_id: str, choice: str) -> None:
        message_id = self._message_id(decision_id, choice)
        if message_id in self._done:
            return
        about: dict[str, Any] = {"decision_id": decision_id}
        if choice == "pause":
            about["days"] = PAUSE_DAYS
        await self._group.append(
            [own_event(EVENTS[choice], message_id, self._now(), about, anonymous_id=decision_id)]
        )
        self._done[message_id] = None
        if len(self._done) > _REMEMBERED:
            self._done.popitem(last=False)

    def _message_id(self, decision_id: str, choice: str) -> str:
        """The same wish twice is one; another pause on another day is another."""
        if choice == "pause":
            return f"pause-{decision_id}-{self._now():%Y%m%d}"
        return f"topic-{decision_id}" if choice == "topic" else f"unsubscribe-{decision_id}"

    def _later(self) -> Response:
        body = {"code": "log_unavailable", "message": "Not recorded yet: please try again in a moment."}
        return JSONResponse(body, status_code=503, headers={"retry-after": self._retry_after})


def _choice(form: bytes) -> str:
    """What the page's form says; anything else, a mail program's body above all, means everything."""
    try:
        chosen = parse_qs(form.decode("ascii"), max_num_fields=20).get("choice", [""])[-1]
    except ValueError:
        return "all"
    return chosen if chosen in EVENTS else "all"


async def _read_form(request: Request) -> bytes:
    """A small form; a larger body is read no further and counts as none."""
    read = bytearray()
    async for chunk in request.stream():
        read += chunk
        if len(read) > _FORM_BYTES:
            return b""
    return bytes(read)
