"""SendGrid: ECDSA on P-256 over timestamp and raw body, with a public key from its settings page."""

import base64
import binascii
from collections.abc import Sequence

from collector.webhooks.signatures.base import Signed, check_age, forged, needed

_PREFIX = "x-twilio-email-event-webhook-"


class SendGrid:
    """Keys are base64 of DER, as SendGrid shows them; PEM is taken too."""

    def verify(self, call: Signed, keys: Sequence[str]) -> str | None:
        """The signature is unique to call and instant."""
        signature, timestamp = needed(call, _PREFIX + "signature"), needed(call, _PREFIX + "timestamp")
        check_age(timestamp, call)
        signed = timestamp.encode() + call.body
        if not any(_is_signed(key, signature, signed) for key in keys):
            raise forged()
        return signature


def _is_signed(key: str, signature: str, signed: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature  # costs 50 ms, and most collectors never need it
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        public = public_key(key)
        if not isinstance(public, ec.EllipticCurvePublicKey):
            return False
        public.verify(base64.b64decode(signature, validate=True), signed, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def public_key(key: str):
    """A public key from PEM or base64 of DER. Raises ValueError."""
    from cryptography.hazmat.primitives import serialization

    if "-----BEGIN" in key:
        return serialization.load_pem_public_key(key.encode())
    return serialization.load_der_public_key(base64.b64decode("".join(key.split()), validate=True))
