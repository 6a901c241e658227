"""A secret that provider and collector share: Basic login, bearer token, header, or a part of the path.

Postmark, SparkPost, Brevo and Mailjet sign nothing; this is what they offer instead, over HTTPS only.
"""

import base64
import binascii
from collections.abc import Iterator, Sequence

from collector.webhooks.signatures.base import Forged, Signed, is_equal

_HEADERS = ("x-webhook-token", "x-webhook-secret", "x-kairos-token", "x-messagesystems-webhook-token")


class SharedSecret:
    """`user:password` or a token."""

    def verify(self, call: Signed, keys: Sequence[str]) -> str | None:
        """Any of the usual places may hold it; nothing makes such a call unique."""
        given = list(_given(call))
        if not given:
            raise Forged("missing_signature", "no login, token or secret path came with the call")
        # Every pair is compared, so that the time says nothing about which was nearly right.
        matches = [is_equal(candidate, key) for candidate in given for key in keys]
        if not any(matches):
            raise Forged("invalid_signature", "the login, token or secret path is wrong")
        return None


def _given(call: Signed) -> Iterator[str]:
    scheme, _, rest = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        yield from _basic(rest)
    elif scheme.lower() == "bearer":
        yield rest.strip()
    yield from (call.headers[name] for name in _HEADERS if name in call.headers)
    if call.path_token:
        yield call.path_token


def _basic(encoded: str) -> Iterator[str]:
    try:
        login = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return
    yield login
    yield login.partition(":")[2]  # only a password was agreed
