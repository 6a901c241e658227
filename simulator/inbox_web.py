"""The page on which mails are read. Whatever a mail contains is shown, never executed.

Autoescaping puts it into the page as text; the HTML part lives in a sandboxed frame without scripts,
forms or an origin; the content security policy, which the frame inherits, loads nothing from outside.
"""

import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulator.catalogue import products
from simulator.inbox_mail import Box, Mail, opened
from simulator.pictures import picture

PAGES = Path(__file__).parent / "pages"
LISTED = 200
# Pictures of the local shop may load, a tracking pixel from elsewhere may not.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
    "img-src 'self' data: http://127.0.0.1:* http://localhost:*; frame-src 'self'; base-uri 'self'; "
    "form-action 'none'; frame-ancestors 'self'"
)
_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


def web(box: Box, smtp_port: int) -> Starlette:
    """The application over one box. `smtp_port` is only shown."""
    reader = Reader(box, smtp_port)
    return Starlette(
        routes=[
            Route("/", reader.list),
            Route("/messages/{number:int}", reader.open),
            Route("/messages/{number:int}.eml", reader.source),
            Route("/api/messages", reader.api),
            Route("/shop/images/{product_id}.svg", image),
            Route("/shop/{rest:path}", shelf),
            Mount("/static", StaticFiles(directory=PAGES / "static")),
        ],
        middleware=[Middleware(Guarded)],
    )


class Guarded:
    """Puts the protective headers on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                extra = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
                message = {**message, "headers": [*message["headers"], *extra]}
            await send(message)

        await self.app(scope, receive, guarded)


class Reader:
    """The pages of one inbox."""

    def __init__(self, box: Box, smtp_port: int) -> None:
        self.box, self.smtp_port = box, smtp_port
        loader = FileSystemLoader(PAGES)
        self.pages = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)

    async def list(self, request: Request) -> Response:
        mails = self.box.newest_first(LISTED)
        return self._page("list.html", mails=mails, count=self.box.total, smtp_port=self.smtp_port)

    async def open(self, request: Request) -> Response:
        mail = self._mail(request)
        parts = opened(self.box.raw(mail))
        return self._page("mail.html", mail=mail, parts=parts, framed=_framed(parts.html))

    async def source(self, request: Request) -> Response:
        return PlainTextResponse(self.box.raw(self._mail(request)).decode("utf-8", "replace"))

    async def api(self, request: Request) -> Response:
        """`count`: mails ever received; `messages`: the newest first, `?limit=` of them."""
        limit = request.query_params.get("limit", "")
        mails = self.box.newest_first(min(int(limit), self.box.keep) if limit.isdigit() else LISTED)
        return JSONResponse({"count": self.box.total, "messages": [mail.public() for mail in mails]})

    def _mail(self, request: Request) -> Mail:
        mail = self.box.find(request.path_params["number"])
        if mail is None:
            raise HTTPException(404, "This mail is gone: the inbox keeps only the newest. Back to /.")
        return mail

    def _page(self, name: str, **context: object) -> Response:
        return HTMLResponse(self.pages.get_template(name).render(**context))


def _framed(html: str) -> str:
    """The HTML part as its frame shows it: links open beside the inbox, not inside the frame."""
    base = '<base target="_blank">'
    framed, heads = re.subn(r"<head\b[^>]*>", lambda head: head[0] + base, html, count=1, flags=re.IGNORECASE)
    return framed if heads or not html else base + html


async def image(request: Request) -> Response:
    """The picture of a product, drawn on the spot."""
    drawn = picture(request.path_params["product_id"])
    if drawn is None:
        raise HTTPException(404, f"no such product; there are p-001 to p-{len(products()):03d}")
    return Response(drawn, media_type="image/svg+xml")


async def shelf(request: Request) -> Response:
    """Where product links of the local shop lead: there is no shop behind the demo."""
    return PlainTextResponse("This is where the shop would be. The demo sells nothing.\n")
