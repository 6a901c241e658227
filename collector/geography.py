"""Where a visitor is, as far as the CDN in front of us says so; no look-up, no address is kept."""

from collections.abc import Mapping

_COUNTRY = (b"cf-ipcountry", b"cloudfront-viewer-country", b"x-vercel-ip-country", b"x-appengine-country")
_REGION = (b"cf-region-code", b"cloudfront-viewer-country-region", b"x-vercel-ip-country-region")
_UNKNOWN = {"XX", "ZZ", "T1"}


def geography(headers: Mapping[bytes, bytes]) -> dict[str, str] | None:
    """`{"country": "DE", "region": "BY"}` from CDN headers, None without them."""
    country = _first(headers, _COUNTRY)
    if not country:
        return None
    region = _first(headers, _REGION)
    return {"country": country, "region": region} if region else {"country": country}


def _first(headers: Mapping[bytes, bytes], names: tuple[bytes, ...]) -> str | None:
    for name in names:
        if name in headers:
            value = headers[name].decode("latin-1").upper()
            return value if value.isascii() and value.isalnum() and value not in _UNKNOWN else None
    return None
