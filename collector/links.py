"""Links in emails that cannot be guessed, forged or used for another purpose.

A token is `decision_id.link.mac`; it names no person and no destination.
"""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from hashlib import sha256

UNSUBSCRIBE = "unsubscribe"
_MAC_BYTES = 16


class Links:
    """Signs and verifies; the first secret signs, all verify, so a rotated secret keeps old links alive.

    Links stay valid as long as their secret is listed: keep a secret for at least five years.
    """

    def __init__(self, base_url: str, secrets: Sequence[str]) -> None:
        if not secrets or not all(secrets):
            raise ValueError("links need at least one secret: set link_secrets to a long random text")
        self._base_url = base_url.rstrip("/")
        self._secrets = tuple(secrets)

    def unsubscribe_url(self, decision_id: str) -> str:
        """The address for List-Unsubscribe: GET shows a page, only POST acts."""
        return f"{self._base_url}/u/{self.sign(decision_id, UNSUBSCRIBE)}"

    def sign(self, decision_id: str, link: str) -> str:
        """A token for this decision and this purpose."""
        return f"{decision_id}.{link}.{_mac(self._secrets[0], decision_id, link)}"

    def verify(self, token: str, link: str) -> str | None:
        """The decision a token belongs to, None if it was not signed for this purpose."""
        decision_id, _, rest = token.partition(".")
        purpose, _, mac = rest.partition(".")
        if not decision_id or purpose != link or not mac.isascii():
            return None
        known = any(hmac.compare_digest(mac, _mac(secret, decision_id, link)) for secret in self._secrets)
        return decision_id if known else None


def _mac(secret: str, decision_id: str, link: str) -> str:
    """The key is bound to the purpose: a click token can never become an unsubscribe token."""
    key = hmac.digest(secret.encode(), f"kairos link {link}".encode(), sha256)
    mac = hmac.digest(key, f"{decision_id}.{link}".encode(), sha256)
    return urlsafe_b64encode(mac[:_MAC_BYTES]).rstrip(b"=").decode()
