"""Standard Webhooks, which Svix and so Resend speak: HMAC-SHA256 over `id.timestamp.body`."""

import base64
import binascii
import hmac
from collections.abc import Sequence

from collector.webhooks.signatures.base import Forged, Signed, check_age, forged, is_equal


class StandardWebhooks:
    """Headers `svix-*` or `webhook-*`; the secret is `whsec_` and base64."""

    def verify(self, call: Signed, keys: Sequence[str]) -> str | None:
        """Several signatures may be given while a secret is being rotated."""
        id, timestamp, signatures = (_header(call, name) for name in ("id", "timestamp", "signature"))
        check_age(timestamp, call)
        signed = f"{id}.{timestamp}.".encode() + call.body
        expected = [sign(key, signed) for key in keys]
        given = [part.partition(",")[2] for part in signatures.split() if part.startswith("v1,")]
        if not any([is_equal(one, other) for one in given for other in expected]):
            raise forged()
        return f"{id}.{timestamp}"


def _header(call: Signed, name: str) -> str:
    value = call.headers.get(f"svix-{name}") or call.headers.get(f"webhook-{name}")
    if not value:
        raise Forged("missing_signature", f"the header svix-{name} (or webhook-{name}) is missing")
    return value


def sign(key: str, signed: bytes) -> str:
    """The signature of `id.timestamp.body`, base64."""
    try:
        secret = base64.b64decode(key.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        secret = key.encode()
    return base64.b64encode(hmac.digest(secret, signed, "sha256")).decode()
