"""The hot path: one request with events in, durable, one answer out.

A plain ASGI endpoint, because at ten thousand requests a second every wrapper shows.
"""

from collections.abc import Callable
from datetime import datetime
from time import perf_counter

from starlette.types import Receive, Scope, Send

from collector.authentication import Sources
from collector.config import CollectorConfig, WriteKey
from collector.events import Call
from collector.geography import geography
from collector.http_answer import answer_error, answer_success
from collector.http_body import Disconnected, read_body
from collector.intake import Intake, open_batch, open_single
from collector.intake import read_body as read_events
from collector.log import GroupCommit, LogFailed, LogFull, Overloaded
from collector.metrics import Metrics
from collector.rate_limit import RateLimit
from collector.refusal import BadRequest
from collector.times import instant_or_none

BATCH = "batch"


class Capture:
    """Accepts every call of the SDKs; `kinds` maps the last part of the path to a type or to `batch`."""

    def __init__(
        self,
        config: CollectorConfig,
        group: GroupCommit,
        metrics: Metrics,
        now: Callable[[], datetime],
        kinds: dict[str, str],
    ) -> None:
        self._config = config
        self._sources = Sources(config)
        self._group = group
        self._metrics = metrics
        self._now = now
        self._kinds = kinds
        self._rate = RateLimit(config.requests_per_second)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; whatever happens, nothing is acknowledged that is not durable."""
        try:
            await self._capture(scope, receive)
        except Disconnected:
            self._metrics.refused("disconnected")
        except BadRequest as refusal:
            await self._refuse(send, refusal.status, refusal.code, refusal.sentence)
        except Overloaded as reason:
            await self._refuse(send, 429, "overloaded", f"{reason}: come back soon", retry=True)
        except (LogFull, LogFailed) as reason:
            await self._refuse(send, 503, "log_unavailable", f"{reason.strerror}", retry=True)
        else:
            await answer_success(send)

    async def _capture(self, scope: Scope, receive: Receive) -> None:
        started = perf_counter()
        kind = self._kinds.get(scope["path"].rpartition("/")[2])
        if kind is None:
            raise BadRequest("unknown_call", f"There is no call {scope['path']}: see /", 404)
        raw = await read_body(receive, self._config.limits)
        headers = dict(scope["headers"])
        body = open_batch(raw) if kind == BATCH else open_single(raw)
        source = self._sources.authenticate(headers, scope["query_string"], body.write_key)
        self._check_rate(source, scope)
        intake = read_events(body, self._call(source, kind, headers))
        await self._commit(source, intake, started)

    async def _commit(self, source: WriteKey, intake: Intake, started: float) -> None:
        if intake.payloads:
            await self._group.append(intake.payloads)
        self._metrics.accepted(source.name, intake.types, perf_counter() - started)

    def _call(self, source: WriteKey, kind: str, headers: dict[bytes, bytes]) -> Call:
        sent_at = headers.get(b"sentat")
        return Call(
            source=source,
            received=self._now(),
            limits=self._config.limits,
            type=None if kind == BATCH else kind,
            sent_at=instant_or_none(sent_at.decode("latin-1")) if sent_at else None,
            geography=geography(headers),
        )

    def _check_rate(self, source: WriteKey, scope: Scope) -> None:
        client = scope.get("client")
        if not self._rate.allows((source.key, client[0] if client else None)):
            raise Overloaded("too many requests")

    async def _refuse(self, send: Send, status: int, code: str, message: str, retry: bool = False) -> None:
        self._metrics.refused(code)
        await answer_error(send, status, code, message, self._config.retry_after_seconds if retry else 0)
