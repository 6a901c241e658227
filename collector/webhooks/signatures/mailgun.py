"""Mailgun: HMAC-SHA256 over timestamp and token, both in the body. The body itself is not signed."""

import hmac
from collections.abc import Mapping, Sequence
from typing import Any

from collector.webhooks.fields import json_object, mapping, text
from collector.webhooks.signatures.base import Forged, Signed, check_age, forged, is_equal


class Mailgun:
    """The token is used once only; who replays it with another body is caught by that."""

    def verify(self, call: Signed, keys: Sequence[str]) -> str | None:
        """JSON with `signature`, or the fields of the older form."""
        given = self._signature(call)
        timestamp, token, signature = (text(given.get(name)) for name in ("timestamp", "token", "signature"))
        if not (timestamp and token and signature):
            raise Forged("missing_signature", "the body has no timestamp, token and signature")
        check_age(timestamp, call)
        signed = (timestamp + token).encode()
        if not any([is_equal(signature, hmac.digest(key.encode(), signed, "sha256").hex()) for key in keys]):
            raise forged()
        return token

    def _signature(self, call: Signed) -> Mapping[str, Any]:
        if call.form:
            return call.form
        body = json_object(call.body.decode("utf-8", "replace"))
        return mapping(body, "signature") or body
