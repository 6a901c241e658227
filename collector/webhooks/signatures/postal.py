"""Postal: RSA with SHA-256 (or, in older versions, SHA-1) over the raw body, with the server's public key."""

import base64
import binascii
from collections.abc import Sequence

from collector.webhooks.signatures.base import Forged, Signed, forged
from collector.webhooks.signatures.sendgrid import public_key


class Postal:
    """Nothing in it tells a repetition; the event's `uuid` does."""

    def verify(self, call: Signed, keys: Sequence[str]) -> str | None:
        """The stronger signature where both are given."""
        strong, weak = (call.headers.get(name) for name in ("x-postal-signature-256", "x-postal-signature"))
        signature = strong or weak
        if not signature:
            raise Forged("missing_signature", "the header X-Postal-Signature-256 is missing")
        if not any(_is_signed(key, signature, call.body, is_strong=bool(strong)) for key in keys):
            raise forged()
        return None


def _is_signed(key: str, signature: str, body: bytes, is_strong: bool) -> bool:
    try:
        public = public_key(key)
        return verify_rsa(public, base64.b64decode(signature, validate=True), body, is_strong)
    except (binascii.Error, ValueError):
        return False


def verify_rsa(public, signature: bytes, signed: bytes, is_strong: bool) -> bool:
    """RSA PKCS#1 v1.5, SHA-256 if strong, else SHA-1."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    if not isinstance(public, rsa.RSAPublicKey):
        return False
    try:
        public.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256() if is_strong else hashes.SHA1())
    except InvalidSignature:
        return False
    return True
