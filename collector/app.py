"""The collector as an ASGI application: which address does what."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from collector import pages
from collector.capture import Capture
from collector.config import CollectorConfig
from collector.destinations import DestinationReader
from collector.dialects import rudderstack, segment
from collector.hits import Hits
from collector.links import Links
from collector.log import EventLog, GroupCommit
from collector.metrics import Metrics
from collector.metrics_share import MetricsShare
from collector.unsubscribe import Unsubscribe

_STATIC = Path(__file__).with_name("static")
_PLUGIN = _STATIC / "kairos-engagement.js"
_OPENAPI = _STATIC / "openapi.json"
_EVENT_PATHS = ("/v1/", "/beacon/v1/")
_CORS = Middleware(
    CORSMiddleware,
    allow_origins=["*"],
    allow_methods=["GET", "POST"],
    allow_headers=["*"],
    max_age=86400,  # otherwise every browser event costs two requests
    expose_headers=["Retry-After"],  # otherwise browsers cannot honour it
)


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


def create_app(
    config: CollectorConfig,
    log: EventLog,
    now: Callable[[], datetime] = utc_now,
    share: MetricsShare | None = None,
) -> Starlette:
    """The collector over one log; create it where it will run, it starts a writer thread.

    With several workers, `share` is how one scrape tells the figures of all.
    """
    group = GroupCommit(log, config.max_pending_bytes)
    metrics = Metrics(lambda: group.pending_bytes, share)
    routes = [
        *_settings_routes(config),
        *_people_routes(config, group, metrics, now),
        *_operator_routes(group, metrics),
    ]
    calls = Capture(config, group, metrics, now, segment.KINDS)
    middleware = [Middleware(ShortCut, calls=calls), _CORS]
    app = Starlette(routes=routes, middleware=middleware, lifespan=_life(group, metrics))
    app.router.redirect_slashes = False  # it would redirect to whatever host the request names
    return app


class ShortCut:
    """Event calls skip the router and its wrappers: they are all the traffic there is."""

    def __init__(self, app: ASGIApp, calls: Capture) -> None:
        self._app = app
        self._calls = calls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Everything but `POST /v1/…` and beacons goes the ordinary way."""
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"].startswith(_EVENT_PATHS):
            await self._calls(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _life(group: GroupCommit, metrics: Metrics) -> Callable[[Starlette], object]:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        telling = asyncio.create_task(metrics.keep_telling())
        yield
        telling.cancel()
        await group.close()

    return lifespan


def _settings_routes(config: CollectorConfig) -> list[Route]:
    async def settings(request: Request) -> Response:
        scheme, _, host = _base(config, request).partition("://")
        return JSONResponse(segment.settings(request.path_params["key"], scheme, host))

    async def source_config(request: Request) -> Response:
        return JSONResponse(rudderstack.source_config())

    async def snippet_script(request: Request) -> Response:
        return segment.snippet_script(config.analytics_js)

    return [
        Route("/v1/projects/{key}/settings", settings),
        Route("/sourceConfig", source_config),
        Route("/sourceConfig/", source_config),
        Route("/analytics.js/v1/{key}/analytics.min.js", snippet_script),
    ]


def _people_routes(
    config: CollectorConfig, group: GroupCommit, metrics: Metrics, now: Callable[[], datetime]
) -> list[Route]:
    links = Links(config.public_url or "", config.link_secrets) if config.link_secrets else None
    unsubscribe = Unsubscribe(links, group, now, config.retry_after_seconds)
    hits = Hits(links, DestinationReader(config.destinations), group, metrics, now, config.home_url)

    async def home(request: Request) -> Response:
        return HTMLResponse(pages.home(_base(config, request)))

    async def plugin(request: Request) -> Response:
        headers = {"cache-control": "public, max-age=3600"}
        return FileResponse(_PLUGIN, media_type="text/javascript", headers=headers)

    async def openapi(request: Request) -> Response:
        return FileResponse(_OPENAPI, media_type="application/json")

    return [
        Route("/c/{token}", hits.click),
        Route("/o/{token}.gif", hits.open),
        Route("/u/{token}", unsubscribe.act, methods=["POST"]),
        Route("/u/{token}", unsubscribe.show),
        Route("/", home),
        Route("/kairos-engagement.js", plugin),
        Route("/openapi.json", openapi),
    ]


def _operator_routes(group: GroupCommit, metrics: Metrics) -> list[Route]:
    async def health(request: Request) -> Response:
        """Healthy means that the last events could be made durable."""
        body = {"status": group.trouble or "ok", "pending_bytes": group.pending_bytes}
        return JSONResponse(body, status_code=503 if group.trouble else 200)

    async def figures(request: Request) -> Response:
        return Response(metrics.render(), media_type="text/plain; version=0.0.4")

    return [Route("/healthz", health), Route("/metrics", figures)]


def _base(config: CollectorConfig, request: Request) -> str:
    """How clients reach us: as configured, else as they just did."""
    return (config.public_url or str(request.base_url)).rstrip("/")
