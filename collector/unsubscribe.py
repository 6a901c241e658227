"""Leaving must be as easy as arriving: one page, one button, and the mail program's own button.

GET shows a page and changes nothing, because link scanners follow every link in every mail.
POST acts: it is durable before the 200, needs no cookie and never redirects (RFC 8058).
"""

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from collector import pages
from collector.events import own_event
from collector.links import UNSUBSCRIBE, Links
from collector.log import GroupCommit, LogFailed, LogFull, Overloaded

_REMEMBERED = 10_000  # decisions whose unsubscribe is already durable; the log need not grow with each click
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
        return HTMLResponse(pages.ask(), headers={"cache-control": "no-store"})

    async def act(self, request: Request) -> Response:
        """Unsubscribe; the form's content is not needed, the token is the authorisation."""
        decision_id = self._decision(request)
        if not decision_id:
            return HTMLResponse(pages.invalid_link(), status_code=404)
        await _discard_body(request)
        try:
            await self._record(decision_id)
        except (Overloaded, LogFull, LogFailed):
            return self._later()
        return HTMLResponse(pages.done(), headers={"cache-control": "no-store"})

    def _decision(self, request: Request) -> str | None:
        token = request.path_params["token"]
        return self._links.verify(token, UNSUBSCRIBE) if self._links else None

    async def _record(self, decision_id: str) -> None:
        if decision_id in self._done:
            return
        event = own_event(
            "Email Unsubscribed", f"unsubscribe-{decision_id}", self._now(), {"decision_id": decision_id}
        )
        await self._group.append([event])
        self._done[decision_id] = None
        if len(self._done) > _REMEMBERED:
            self._done.popitem(last=False)

    def _later(self) -> Response:
        body = {"code": "log_unavailable", "message": "Not recorded yet: please try again in a moment."}
        return JSONResponse(body, status_code=503, headers={"retry-after": self._retry_after})


async def _discard_body(request: Request) -> None:
    """Read a small form so that the connection stays usable; stop at anything larger."""
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > _FORM_BYTES:
            return
