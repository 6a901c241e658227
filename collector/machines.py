"""What gives a machine away in a single request: security scanners, prefetching mail programs, previews.

What only several requests together tell (all links at once, a moment after delivery) is asked in the models.
"""

import re
from collections.abc import Mapping

from collector.links import TRAP

_PREFETCH_HEADERS = ("sec-purpose", "purpose", "x-purpose", "x-moz")

# The first that matches counts. Lower case.
_AGENTS = (
    ("image_proxy", re.compile(r"googleimageproxy|yahoomailproxy|^mozilla/5\.0$")),  # the last: Apple's mail privacy
    ("scanner", re.compile(
        r"barracuda|mimecast|proofpoint|symantec|trendmicro|fortinet|forcepoint|cloudmark|ironport|sophos"
        r"|messagelabs|urldefense|virustotal|safebrowsing|phishtank|\bscan(ner)?\b|urlscan|link-?check"
    )),
    ("robot", re.compile(
        r"(?<!cu)bots?\b|crawl|spider|slurp|facebookexternalhit|whatsapp/|bingpreview|preview|headless|phantomjs"
        r"|lighthouse|pingdom|monitor"
    )),
    ("program", re.compile(
        r"^(curl|wget|python|go-http|java/|libwww|lwp|ruby|php|perl|axios|node-fetch|undici|got |powershell)"
        r"|apache-httpclient|python-requests|python-httpx|aiohttp|guzzle|winhttp"
    )),
)  # fmt: skip


def machine_reason(method: str, headers: Mapping[str, str], number: int | None = None) -> str | None:
    """Why this request is no person's, or None. `number` is that of the link, None for the picture."""
    if method == "HEAD":
        return "head_request"
    if number == TRAP:
        return "hidden_link"
    if any(
        "prefetch" in headers.get(name, "") or "preview" in headers.get(name, "")
        for name in _PREFETCH_HEADERS
    ):
        return "prefetch"
    agent = headers.get("user-agent", "").strip().lower()
    if not agent:
        return "no_agent"
    return next((reason for reason, pattern in _AGENTS if pattern.search(agent)), None)
