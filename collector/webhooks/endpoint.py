"""`POST /webhooks/<provider>`: what mail providers report, verified, durable before the 200."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from collector.config import OWN_SOURCE, CollectorConfig
from collector.http_body import Disconnected, read_body
from collector.json_event import needs_exact_reader
from collector.log import GroupCommit, LogFailed, LogFull, Overloaded
from collector.metrics import Metrics
from collector.refusal import BadRequest
from collector.webhooks.fields import json_object, text
from collector.webhooks.landing import landed
from collector.webhooks.memory import Calls, Memory
from collector.webhooks.normalise import UnknownProvider, normalise, provider_named
from collector.webhooks.signatures.base import Forged, Signed
from collector.webhooks.signatures.sns import Fetch, certificate_url
from collector.webhooks.verify import schemes
from collector.webhooks.vocabulary import Ignored, MailEvent, Malformed

logger = logging.getLogger("kairos.collector")

_LATER = ("certificate_unavailable",)


class Webhooks:
    """One endpoint for all providers that have a key."""

    def __init__(
        self,
        config: CollectorConfig,
        group: GroupCommit,
        metrics: Metrics,
        now: Callable[[], datetime],
        fetch: Fetch | None = None,
        calls: Path | None = None,
    ) -> None:
        """`fetch` gets Amazon's certificates; `calls` is a folder that all workers share."""
        self._config = config
        self._group = group
        self._metrics = metrics
        self._now = now
        self._schemes = schemes(fetch)
        self._calls = Calls(calls)
        self._events = Memory()

    async def receive(self, request: Request) -> Response:
        """Answer one call; whatever happens, nothing is acknowledged that is not durable."""
        try:
            return await self._receive(request, perf_counter())
        except Disconnected:
            return self._refused(400, "disconnected", "the call ended too early")
        except BadRequest as refusal:
            return self._refused(refusal.status, refusal.code, refusal.sentence)
        except Forged as forged:
            is_late = forged.code in _LATER
            status = 429 if is_late else 409 if forged.code == "replayed" else 403
            return self._refused(status, forged.code, str(forged), retry=is_late)
        except Malformed as error:
            return self._refused(400, "malformed_payload", str(error))
        except Overloaded as reason:
            return self._refused(429, "overloaded", f"{reason}: come back soon", retry=True)
        except (LogFull, LogFailed) as reason:
            return self._refused(503, "log_unavailable", f"{reason.strerror}", retry=True)

    async def _receive(self, request: Request, started: float) -> Response:
        provider, keys = self._who(request.path_params["provider"])
        body = await read_body(request.receive, self._config.limits)
        call = self._call(request, body)
        once = await asyncio.to_thread(self._schemes[provider].verify, call, keys)
        if once is None:
            return await self._accept(provider, call, started)
        mark = f"{provider}/{once}"
        if not self._calls.take(mark):
            raise Forged("replayed", "this very call was accepted before")
        try:
            return await self._accept(provider, call, started)
        except (Overloaded, LogFull, LogFailed):
            self._calls.give_back(mark)
            raise

    async def _accept(self, provider: str, call: Signed, started: float) -> Response:
        payload = _payload(call)
        if answer := _subscription(provider, payload):
            return answer
        events, ignored = _read(provider, payload, call.headers)
        await self._commit(provider, events, started)
        return JSONResponse({"success": True, "accepted": len(events), "ignored": ignored})

    def _who(self, name: str) -> tuple[str, tuple[str, ...]]:
        try:
            provider = provider_named(name)
        except UnknownProvider as error:
            raise BadRequest("unknown_provider", str(error), 404) from None
        keys = self._config.webhook_keys.get(provider, ())
        if not keys:
            raise BadRequest(
                "provider_not_configured", f"collector.webhooks.{provider} has no key in kairos.toml", 404
            )
        return provider, keys

    def _call(self, request: Request, body: bytes) -> Signed:
        headers = {name.lower(): value for name, value in request.headers.items()}
        base = (self._config.public_url or str(request.base_url)).rstrip("/")
        return Signed(
            headers=headers,
            body=body,
            received=self._now(),
            url=base + request.url.path,
            path_token=request.path_params.get("token"),
            form=_form(headers, body),
        )

    async def _commit(self, provider: str, events: list[MailEvent], started: float) -> None:
        """A repetition that was durable before is acknowledged without being written again."""
        received, secret = self._now(), next(iter(self._config.link_secrets), None)
        found = dict(landed(event, received, secret, self._config.limits) for event in events)
        new = {id: payload for id, payload in found.items() if id not in self._events}
        if new:
            await self._group.append(list(new.values()))
            self._metrics.accepted(OWN_SOURCE, ["track"] * len(new), perf_counter() - started)
        for id in new:
            self._events.add(id)

    def _refused(self, status: int, code: str, message: str, retry: bool = False) -> Response:
        self._metrics.refused(code)
        headers = {"retry-after": str(self._config.retry_after_seconds)} if retry else {}
        return JSONResponse({"code": code, "message": message}, status_code=status, headers=headers)


def _form(headers: Mapping[str, str], body: bytes) -> dict[str, str]:
    """The fields of a form; the last of a name counts."""
    if not headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return {}
    try:
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=1_000))
    except ValueError as error:
        raise BadRequest("invalid_form", f"The form cannot be read: {error}.") from None


def _payload(call: Signed) -> Any:
    """What the body says, JSON or form."""
    if call.form:
        return dict(call.form)
    if needs_exact_reader(call.body) and b"\\u0000" in call.body:
        raise BadRequest("nul_character", "A string contains U+0000, which databases cut or refuse.")
    try:
        return msgspec.json.decode(call.body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest("invalid_json", f"The body is not JSON: {error}.") from None


def _read(provider: str, payload: Any, headers: Mapping[str, str]) -> tuple[list[MailEvent], list[str]]:
    """(events, why the others are none)."""
    found = list(normalise(provider, payload, headers))
    events = [event for event in found if isinstance(event, MailEvent)]
    return events, sorted({other.because for other in found if isinstance(other, Ignored)})


def _subscription(provider: str, payload: Any) -> Response | None:
    """SNS asks whether it may; a person says yes by opening the address, since no address in a call is fetched here."""
    message = json_object(payload)
    if provider != "amazon_ses" or text(message.get("Type")) != "SubscriptionConfirmation":
        return None
    certificate_url(message)
    logger.warning("SNS wants its subscription confirmed; open once: %s", text(message.get("SubscribeURL")))
    return JSONResponse(
        {"success": True, "accepted": 0, "ignored": ["the subscription waits: see the collector's log"]}
    )
