"""Amazon SNS: RSA over selected fields, with a certificate that only Amazon's own hosts may deliver.

Anybody with an AWS account can have SNS sign messages, so the key of this provider is the topic we expect.
"""

import base64
import binascii
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from collector.webhooks.fields import instant, json_object, text
from collector.webhooks.signatures.base import Forged, Signed, check_instant, forged
from collector.webhooks.signatures.postal import verify_rsa

_HOST = re.compile(r"sns\.[a-z]{2}(?:-[a-z]+)+-\d\.amazonaws\.com(?:\.cn)?")
_PATH = re.compile(r"/SimpleNotificationService-[A-Za-z0-9]+\.pem")
_FIELDS = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        "Message",
        "MessageId",
        "SubscribeURL",
        "Timestamp",
        "Token",
        "TopicArn",
        "Type",
    ),
    "UnsubscribeConfirmation": (
        "Message",
        "MessageId",
        "SubscribeURL",
        "Timestamp",
        "Token",
        "TopicArn",
        "Type",
    ),
}
_RETRIED = timedelta(hours=24)  # SNS goes on trying for hours with the signature of the first time
_KEPT = 16
_LARGEST = 16 * 1024

Fetch = Callable[[str], bytes]


class Sns:
    """`fetch` gets a certificate by its address; it is called for Amazon's hosts only, and each address once."""

    def __init__(self, fetch: Fetch | None = None) -> None:
        self._fetch = fetch or fetch_certificate
        self._certificates: OrderedDict[str, Any] = OrderedDict()

    def verify(self, call: Signed, keys: Sequence[str]) -> str | None:
        """Nothing is fetched before the topic, the address and the age are right."""
        message = json_object(call.body.decode("utf-8", "replace"))
        if text(message.get("TopicArn")) not in keys:
            raise Forged("unknown_topic", "this is not the topic whose ARN is the key in kairos.toml")
        self._check_age(message, call)
        url = certificate_url(message)
        signed = string_to_sign(message)
        version = text(message.get("SignatureVersion"))
        if version not in ("1", "2"):
            raise Forged("invalid_signature", f"SNS signature version {version!r} is not known")
        try:
            signature = base64.b64decode(text(message.get("Signature")) or "", validate=True)
        except binascii.Error:
            raise forged() from None
        if not verify_rsa(self._public_key(url), signature, signed, is_strong=version == "2"):
            raise forged()
        return None

    def _check_age(self, message: Mapping[str, Any], call: Signed) -> None:
        sent = instant(message.get("Timestamp"))
        if sent is None:
            raise Forged("invalid_timestamp", "the message has no Timestamp")
        check_instant(sent, call, _RETRIED)

    def _public_key(self, url: str) -> Any:
        if url not in self._certificates:
            self._certificates[url] = _load(self._fetch(url))
            if len(self._certificates) > _KEPT:
                self._certificates.popitem(last=False)
        return self._certificates[url]


def certificate_url(message: Mapping[str, Any]) -> str:
    """The address of the certificate, if it lies with Amazon. Raises `Forged`: the message names it, so anybody may."""
    url = text(message.get("SigningCertURL")) or text(message.get("SigningCertUrl")) or ""
    try:
        parts = urlsplit(url)
        is_theirs = (
            parts.scheme == "https"
            and _HOST.fullmatch(parts.netloc or "")  # the whole of it: no login, no port
            and _PATH.fullmatch(parts.path)
            and not parts.query
            and not parts.fragment
        )
    except ValueError:
        is_theirs = False
    if not is_theirs:
        raise Forged(
            "untrusted_certificate", "SigningCertURL is not an https address of sns.<region>.amazonaws.com"
        )
    return url


def string_to_sign(message: Mapping[str, Any]) -> bytes:
    """Names and values of the signed fields, line by line. Raises `Forged` for an unknown type."""
    names = _FIELDS.get(text(message.get("Type")) or "")
    if names is None:
        raise Forged("invalid_signature", "not a message of SNS: its Type is unknown")
    given = ((name, message.get(name)) for name in names)
    return "".join(f"{name}\n{value}\n" for name, value in given if isinstance(value, str)).encode()


def fetch_certificate(url: str) -> bytes:
    """Without redirects, in seconds, and only as much as a certificate has. Raises `Forged`."""
    import httpx

    try:
        with httpx.Client(follow_redirects=False, timeout=5, trust_env=True) as client:
            answer = client.get(url)
    except httpx.HTTPError as error:
        raise Forged(
            "certificate_unavailable", f"the certificate could not be fetched: {type(error).__name__}"
        ) from None
    if answer.status_code != 200 or len(answer.content) > _LARGEST:
        raise Forged("certificate_unavailable", f"the certificate could not be fetched: {answer.status_code}")
    return answer.content


def _load(pem: bytes) -> Any:
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificate(pem).public_key()
    except ValueError:
        raise Forged("certificate_unavailable", "what was fetched is no certificate") from None
