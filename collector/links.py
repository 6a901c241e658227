"""Links in emails that cannot be guessed, forged or used for another purpose.

A token is what it is about and a signature, joined by dots; it names no person and no address.

| purpose | token | path |
|---|---|---|
| unsubscribe, and the preference page | `decision.unsubscribe.mac` | `/u/` |
| click | `decision.number.destination.key.mac` | `/c/` |
| open | `decision.key.mac` | `/o/….gif` |

`key` says which secret signed, so that verifying costs the same however many are kept.
"""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

UNSUBSCRIBE = "unsubscribe"
CLICK = "click"
OPEN = "open"
TRAP = 0  # the number of a link that no person sees
_MAC_BYTES = 16
_READABLE_MAC_BYTES = 12  # 24 characters, and 96 bits that nobody guesses
_MOST_LINKS = 999


class Forged(ValueError):
    """A token that we did not sign, or not as it is now; the message says what is wrong with it."""


class ClickToken(NamedTuple):
    """What a click token is about."""

    decision_id: str
    number: int  # of the link within its email, from 1; TRAP is the hidden one
    destination: str  # a key of `Destinations`


class Links:
    """Signs and verifies; the first secret signs, all verify, so a rotated secret keeps old links alive.

    Links stay valid as long as their secret is listed: keep a secret for at least five years.
    """

    def __init__(self, base_url: str, secrets: Sequence[str]) -> None:
        if not secrets or not all(secrets):
            raise ValueError("links need at least one secret: set link_secrets to a long random text")
        self._base_url = base_url.rstrip("/")
        self._secrets = tuple(secrets)
        self._by_key = {_key_id(secret): secret for secret in reversed(self._secrets)}
        self._key_id = _key_id(self._secrets[0])

    def unsubscribe_url(self, decision_id: str) -> str:
        """The address for List-Unsubscribe: GET shows a page, only POST acts."""
        return f"{self._base_url}/u/{self.sign(decision_id, UNSUBSCRIBE)}"

    def click_url(self, decision_id: str, number: int, destination: str) -> str:
        """The address that stands in an email in place of a destination."""
        about = f"{decision_id}.{number}.{destination}"
        return f"{self._base_url}/c/{self._signed(about, CLICK)}"

    def open_url(self, decision_id: str) -> str:
        """The address of the picture that nobody sees."""
        return f"{self._base_url}/o/{self._signed(decision_id, OPEN)}.gif"

    def sign(self, decision_id: str, link: str) -> str:
        """A token for this decision and this purpose."""
        return f"{decision_id}.{link}.{_mac(self._secrets[0], f'{decision_id}.{link}', link)}"

    def verify(self, token: str, link: str) -> str | None:
        """The decision a token belongs to, None if it was not signed for this purpose."""
        decision_id, _, rest = token.partition(".")
        purpose, _, mac = rest.partition(".")
        if not decision_id or purpose != link or not mac.isascii():
            return None
        about = f"{decision_id}.{link}"
        known = any(hmac.compare_digest(mac, _mac(secret, about, link)) for secret in self._secrets)
        return decision_id if known else None

    def read_click(self, token: str) -> ClickToken:
        """Raises Forged."""
        about = self._verified(token, CLICK).rsplit(".", 2)
        if len(about) != 3 or not about[1].isdecimal() or len(about[1]) > len(str(_MOST_LINKS)):
            raise Forged("it names no link")  # signed for something else: cannot happen by our own hand
        return ClickToken(about[0], int(about[1]), about[2])

    def read_open(self, token: str) -> str:
        """The decision. Raises Forged."""
        return self._verified(token, OPEN)

    def _signed(self, about: str, purpose: str) -> str:
        return f"{about}.{self._key_id}.{_readable_mac(self._secrets[0], about, purpose)}"

    def _verified(self, token: str, purpose: str) -> str:
        about, *signature = token.rsplit(".", 2)
        if len(signature) != 2 or not about or not token.isascii():
            raise Forged("it is incomplete")
        key_id, mac = signature
        if key_id not in self._by_key:
            raise Forged("it was signed with a key that is not known here")
        if not hmac.compare_digest(mac, _readable_mac(self._by_key[key_id], about, purpose)):
            raise Forged("its signature does not match")
        return about


@lru_cache(maxsize=256)
def _key(secret: str, purpose: str) -> bytes:
    """The key is bound to the purpose: a click token can never become an unsubscribe token."""
    return hmac.digest(secret.encode(), f"kairos link {purpose}".encode(), sha256)


def _mac(secret: str, about: str, purpose: str) -> str:
    return urlsafe_b64encode(_digest(secret, about, purpose)).rstrip(b"=").decode()


def _readable_mac(secret: str, about: str, purpose: str) -> str:
    """Ends in a letter or digit: programs that make links of plain text leave a final `-` out."""
    return _digest(secret, about, purpose)[:_READABLE_MAC_BYTES].hex()


def _digest(secret: str, about: str, purpose: str) -> bytes:
    return hmac.digest(_key(secret, purpose), about.encode(), sha256)[:_MAC_BYTES]


def _key_id(secret: str) -> str:
    """Four characters that say which secret, and nothing about it."""
    return _mac(secret, "id", "key")[:4]
