"""Ask the application directly, without sockets: requests in, answers and log out."""

import asyncio
import base64
import gzip
import json
from typing import Any

import httpx

from collector.app import create_app
from collector.config import CollectorConfig
from collector.log import FileLog
from tests.collector.live import CONFIG, SERVER_KEY
from tests.collector.log_tools import read_all


def basic(key: str) -> dict[str, str]:
    """The header SDKs send."""
    return {"authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}


def batch_of(*events: bytes | dict[str, Any], **fields: Any) -> bytes:
    """A batch body; raw bytes are spliced in as they are, however hostile."""
    texts = [event if isinstance(event, bytes) else json.dumps(event).encode() for event in events]
    rest = b"".join(f",{json.dumps(key)}:{json.dumps(value)}".encode() for key, value in fields.items())
    return b'{"batch":[' + b",".join(texts) + b"]" + rest + b"}"


class Asked:
    """A collector application on a stopped clock and its log."""

    def __init__(self, log: FileLog, clock, config: CollectorConfig = CONFIG) -> None:
        self.log = log
        self.app = create_app(config, log, clock)

    def request(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        """One request; server errors come back as answers, as they would over a socket."""
        return asyncio.run(self._request(method, path, **kwargs))

    async def _request(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://collector.test") as client:
            return await client.request(method, path, **kwargs)

    def get(self, path: str, **kwargs: Any) -> httpx.Response:
        return self.request("GET", path, **kwargs)

    def post(self, path: str, body: Any, key: str | None = SERVER_KEY, **headers: str) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        auth = basic(key) if key else {}
        return self.request("POST", path, content=content, headers={**auth, **headers})

    def events(self) -> list[dict]:
        return read_all(self.log)

    def accept(self, event: dict[str, Any], path: str = "/v1/batch", **kwargs: Any) -> dict:
        """Send one event in a batch and return how it lies in the log."""
        answer = self.post(path, batch_of(event), **kwargs)
        assert answer.status_code == 200
        return self.events()[-1]


def zipped(body: bytes) -> bytes:
    return gzip.compress(body)
