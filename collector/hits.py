"""Clicks and opens: the address in an email leads here first, is written down, and leads on.

The way on comes from what the sender stored, never from the request: a link of ours can lead nowhere else.
The person goes on even where the log cannot take the event; the loss is counted.
"""

import asyncio
from base64 import b64decode
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from collector import pages
from collector.destinations import DestinationReader
from collector.events import own_event
from collector.links import Forged, Links
from collector.log import GroupCommit, LogFailed, LogFull, Overloaded
from collector.machines import machine_reason
from collector.metrics import Metrics

PIXEL = b64decode(
    "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAICRAEAOw=="
)  # 1 × 1, transparent, 43 bytes
_NO_STORE = {"cache-control": "no-store, max-age=0", "x-robots-tag": "noindex, nofollow"}
_AGENT_CHARS = 200
_MOST_HITS = 20  # of one link or picture that are written down: nobody can fill the log with one token
_REMEMBERED = 50_000
_PATIENCE_SECONDS = 2.0  # a person waits no longer for the log


class Hits:
    """`/c/…` and `/o/….gif`."""

    def __init__(
        self,
        links: Links | None,
        destinations: DestinationReader,
        group: GroupCommit,
        metrics: Metrics,
        now: Callable[[], datetime],
        home_url: str | None,
    ) -> None:
        """`home_url` is where somebody goes on whose link is no longer kept."""
        self._links = links
        self._destinations = destinations
        self._group = group
        self._metrics = metrics
        self._now = now
        self._home_url = home_url
        self._counts: OrderedDict[tuple[str, int], int] = OrderedDict()

    async def click(self, request: Request) -> Response:
        """302 to the destination; a page for links that are not, or no longer, known."""
        try:
            token = self._known().read_click(request.path_params["token"])
        except Forged as reason:
            return self._refused("click", reason)
        url = self._destinations.find(token.destination)
        await self._record("Email Clicked", request, token.decision_id, token.number)
        if url is None:
            self._metrics.hit("click", "expired")
            return HTMLResponse(pages.expired_link(self._home_url), status_code=410, headers=_NO_STORE)
        return Response(status_code=302, headers={**_NO_STORE, "location": url})

    async def open(self, request: Request) -> Response:
        """The smallest picture there is."""
        try:
            decision_id = self._known().read_open(request.path_params["token"])
        except Forged as reason:
            return self._refused("open", reason)
        await self._record("Email Opened", request, decision_id, None)
        return Response(PIXEL, media_type="image/gif", headers=_NO_STORE)

    def _known(self) -> Links:
        if self._links is None:
            raise Forged("no key is known here")
        return self._links

    def _refused(self, kind: str, reason: Forged) -> Response:
        self._metrics.hit(kind, "forged")
        return HTMLResponse(pages.invalid_link(str(reason)), status_code=404, headers=_NO_STORE)

    async def _record(self, name: str, request: Request, decision_id: str, number: int | None) -> None:
        """Durable when it returns, or counted as lost."""
        kind = "open" if number is None else "click"
        if not self._is_news(decision_id, -1 if number is None else number):
            self._metrics.hit(kind, "repeated")
            return
        reason = machine_reason(request.method, request.headers, number)
        event = own_event(
            name,
            f"{kind}-{uuid4().hex}",
            self._now(),
            _properties(decision_id, number, reason, request.headers.get("user-agent", "")),
            anonymous_id=decision_id,  # who that is, only the ledger knows
        )
        try:
            await asyncio.wait_for(self._group.append([event]), _PATIENCE_SECONDS)
        except (Overloaded, LogFull, LogFailed, TimeoutError):
            self._metrics.hit(kind, "lost")
        else:
            self._metrics.hit(kind, "machine" if reason else "recorded")

    def _is_news(self, decision_id: str, number: int) -> bool:
        key = (decision_id, number)
        count = self._counts.pop(key, 0)
        self._counts[key] = count + 1
        if len(self._counts) > _REMEMBERED:
            self._counts.popitem(last=False)
        return count < _MOST_HITS


def _properties(decision_id: str, number: int | None, reason: str | None, agent: str) -> dict[str, Any]:
    printable = "".join(char for char in agent if char.isprintable())[:_AGENT_CHARS]
    about = {"decision_id": decision_id} if number is None else {"decision_id": decision_id, "link": number}
    return {**about, "is_machine": reason is not None, "machine_reason": reason, "user_agent": printable}
