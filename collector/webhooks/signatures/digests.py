"""MailerSend, Mandrill and Unisender Go: digests over the body with a shared key, each in its own way."""

import base64
import hashlib
import hmac
from collections.abc import Sequence

from collector.webhooks.fields import json_object, text
from collector.webhooks.signatures.base import Forged, Signed, forged, is_equal, needed


class MailerSend:
    """HMAC-SHA256 over the raw body, in hexadecimal digits."""

    def verify(self, call: Signed, keys: Sequence[str]) -> str | None:
        """Nothing in it tells a repetition; the event's id does."""
        given = needed(call, "signature").lower()
        if not any([is_equal(given, hmac.digest(key.encode(), call.body, "sha256").hex()) for key in keys]):
            raise forged()
        return None


class Mandrill:
    """HMAC-SHA1 over the address of the webhook and all fields of the form, sorted by name."""

    def verify(self, call: Signed, keys: Sequence[str]) -> str | None:
        """`collector.public_url` must be what Mandrill calls, since it signs that."""
        given = needed(call, "x-mandrill-signature")
        signed = (call.url + "".join(name + call.form[name] for name in sorted(call.form))).encode()
        expected = [base64.b64encode(hmac.digest(key.encode(), signed, "sha1")).decode() for key in keys]
        if not any([is_equal(given, one) for one in expected]):
            raise forged()
        return None


class UnisenderGo:
    """The body's `auth` is the MD5 of the body in which the API key stands in its place."""

    def verify(self, call: Signed, keys: Sequence[str]) -> str | None:
        """Weak, but all there is: the key is never on the wire."""
        given = text(json_object(call.body.decode("utf-8", "replace")).get("auth"))
        if not given:
            raise Forged("missing_signature", "the body has no `auth`")
        expected = [
            hashlib.md5(call.body.replace(given.encode(), key.encode(), 1), usedforsecurity=False).hexdigest()
            for key in keys
        ]
        if not any([is_equal(given.lower(), one) for one in expected]):
            raise forged()
        return None
