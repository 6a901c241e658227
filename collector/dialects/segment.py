"""Segment's HTTP API: paths, the browser's short paths, and the settings its SDKs ask for first."""

from pathlib import Path
from typing import Any

from starlette.responses import FileResponse, JSONResponse, Response

KINDS = {
    **{"track": "track", "page": "page", "screen": "screen"},
    **{"identify": "identify", "group": "group", "alias": "alias"},
    **{"t": "track", "p": "page", "s": "screen", "i": "identify", "g": "group", "a": "alias"},
    **{"batch": "batch", "b": "batch", "import": "batch"},
}


def settings(write_key: str, scheme: str, host: str) -> dict[str, Any]:
    """What an SDK needs to know; without `apiHost` a browser would post to Segment itself."""
    api = {"apiKey": write_key, "apiHost": f"{host}/v1", "protocol": scheme}
    return {"integrations": {"Segment.io": api}, "plan": {}, "edgeFunction": {}}


def snippet_script(path: str | None) -> Response:
    """The SDK for pages that load it with Segment's snippet."""
    if path is None or not Path(path).is_file():
        message = "Not here: set `analytics_js` to the standalone.js of @segment/analytics-next."
        return JSONResponse({"code": "not_found", "message": message}, status_code=404)
    return FileResponse(path, media_type="text/javascript", headers={"cache-control": "public, max-age=3600"})
