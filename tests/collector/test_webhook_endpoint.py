"""Only the provider itself can report, each report counts once, and nothing is acknowledged that is not durable."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from collector.app import create_app
from collector.log import LogFull
from collector.webhooks.signatures.base import Forged, Signed
from collector.webhooks.signatures.sendgrid import SendGrid
from collector.webhooks.signatures.sns import certificate_url, string_to_sign
from collector.webhooks.signatures.standard import StandardWebhooks
from tests.collector.asking import Asked, basic
from tests.collector.live import CONFIG, LiveCollector

TOPIC = "arn:aws:sns:eu-central-1:123456789012:ses"
CERTIFICATE = "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123abcd.pem"
RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
SVIX = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def der(key) -> str:
    spki = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return base64.b64encode(spki).decode()


KEYS = {
    "amazon_ses": (TOPIC,),
    "brevo": ("ann:secret",),
    "mailersend": ("ms-secret",),
    "mailgun": ("mg-old", "mg-key"),
    "mandrill": ("md-key",),
    "postal": (der(RSA_KEY),),
    "postmark": ("ann:secret",),
    "resend": (SVIX,),
    "sendgrid": (der(EC_KEY),),
    "sparkpost": ("token-1",),
    "unisender_go": ("ug-key",),
}
BOUNCED = {
    "RecordType": "Bounce",
    "Type": "HardBounce",
    "ID": 7,
    "Email": "ann@example.org",
    "Description": "x",
}


def certificate(_url: str) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    now = datetime(2026, 1, 1, tzinfo=UTC)
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(RSA_KEY.public_key())
    built = built.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=999))
    return built.sign(RSA_KEY, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@pytest.fixture
def providers(log, clock) -> Asked:
    config = replace(CONFIG, webhook_keys=KEYS, public_url="https://collect.example")
    asked = Asked(log, clock, config)
    asked.app = create_app(config, log, clock, fetch=certificate)
    asked.clock = clock
    return asked


# How each provider signs, written down a second time.


def as_standard(body: bytes, at: datetime, id: str = "msg_1") -> dict[str, str]:
    stamp = str(int(at.timestamp()))
    secret = base64.b64decode(SVIX.removeprefix("whsec_"))
    mac = hmac.digest(secret, f"{id}.{stamp}.".encode() + body, "sha256")
    return {"svix-id": id, "svix-timestamp": stamp, "svix-signature": "v1," + base64.b64encode(mac).decode()}


def as_sendgrid(body: bytes, at: datetime) -> dict[str, str]:
    stamp = str(int(at.timestamp()))
    signature = EC_KEY.sign(stamp.encode() + body, ec.ECDSA(hashes.SHA256()))
    prefix = "X-Twilio-Email-Event-Webhook-"
    return {prefix + "Signature": base64.b64encode(signature).decode(), prefix + "Timestamp": stamp}


def as_mailgun(event: dict, at: datetime, token: str = "t1", key: str = "mg-key") -> bytes:
    stamp = str(int(at.timestamp()))
    mac = hmac.new(key.encode(), (stamp + token).encode(), hashlib.sha256).hexdigest()
    return json.dumps(
        {"signature": {"timestamp": stamp, "token": token, "signature": mac}, "event-data": event}
    ).encode()


def as_sns(
    message: str, at: datetime, kind: str = "Notification", version: str = "2", **changes: str
) -> bytes:
    envelope = {
        "Type": kind,
        "MessageId": "sns-1",
        "TopicArn": TOPIC,
        "Message": message,
        "Timestamp": f"{at:%Y-%m-%dT%H:%M:%S}.000Z",
        "SignatureVersion": version,
        "SigningCertURL": CERTIFICATE,
        **({"Token": "t", "SubscribeURL": "https://sns.eu-central-1.amazonaws.com/?x"} if kind != "Notification" else {}),
    }  # fmt: skip
    algorithm = hashes.SHA256() if version == "2" else hashes.SHA1()
    signature = RSA_KEY.sign(string_to_sign(envelope), padding.PKCS1v15(), algorithm)
    return json.dumps({**envelope, "Signature": base64.b64encode(signature).decode(), **changes}).encode()


def calls(at: datetime) -> dict[str, tuple[bytes, dict[str, str]]]:
    """One good call of each: body and headers."""
    ses = json.dumps(
        {
            "eventType": "Bounce",
            "mail": {"destination": ["ann@example.org"]},
            "bounce": {
                "bounceType": "Permanent",
                "feedbackId": "f",
                "bouncedRecipients": [{"emailAddress": "ann@example.org"}],
            },
        }
    )
    resend = json.dumps({"type": "email.complained", "data": {"to": ["ann@example.org"]}}).encode()
    sendgrid = json.dumps([{"event": "bounce", "email": "ann@example.org", "sg_event_id": "e"}]).encode()
    mailersend = json.dumps(
        {
            "type": "activity.hard_bounced",
            "data": {"id": "1", "email": {"recipient": {"email": "ann@example.org"}}},
        }
    ).encode()
    postal = json.dumps(
        {"event": "MessageBounced", "uuid": "u", "payload": {"original_message": {"to": "ann@example.org"}}}
    ).encode()
    form = {"mandrill_events": json.dumps([{"event": "hard_bounce", "msg": {"email": "ann@example.org"}}])}
    mandrill = hmac.digest(
        b"md-key",
        ("https://collect.example/webhooks/mandrill" + "".join(k + form[k] for k in sorted(form))).encode(),
        "sha1",
    )
    unisender = json.dumps(
        {
            "auth": "AUTH",
            "events_by_user": [
                {
                    "events": [
                        {
                            "event_name": "transactional_email_status",
                            "event_data": {"status": "hard_bounced", "email": "ann@example.org"},
                        }
                    ]
                }
            ],
        }
    )
    digest = hashlib.md5(unisender.replace("AUTH", "ug-key").encode(), usedforsecurity=False).hexdigest()
    sparkpost = [
        {
            "msys": {
                "message_event": {
                    "type": "bounce",
                    "bounce_class": "10",
                    "event_id": "9",
                    "rcpt_to": "ann@example.org",
                }
            }
        }
    ]
    return {
        "amazon_ses": (as_sns(ses, at), {}),
        "brevo": (b'{"event": "hard_bounce", "email": "ann@example.org"}', basic("ann")|{"authorization": "Basic " + base64.b64encode(b"ann:secret").decode()}),
        "mailersend": (mailersend, {"Signature": hmac.new(b"ms-secret", mailersend, hashlib.sha256).hexdigest()}),
        "mailgun": (as_mailgun({"event": "complained", "id": "1", "recipient": "ann@example.org"}, at), {}),
        "mandrill": (urlencode(form).encode(), {"content-type": "application/x-www-form-urlencoded", "X-Mandrill-Signature": base64.b64encode(mandrill).decode()}),
        "postal": (postal, {"X-Postal-Signature-256": base64.b64encode(RSA_KEY.sign(postal, padding.PKCS1v15(), hashes.SHA256())).decode()}),
        "postmark": (json.dumps(BOUNCED).encode(), {"authorization": "Basic " + base64.b64encode(b"ann:secret").decode()}),
        "resend": (resend, as_standard(resend, at)),
        "sendgrid": (sendgrid, as_sendgrid(sendgrid, at)),
        "sparkpost": (json.dumps(sparkpost).encode(), {"authorization": "Bearer token-1"}),
        "unisender_go": (unisender.replace("AUTH", digest).encode(), {}),
    }  # fmt: skip


def send(asked: Asked, provider: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
    return asked.request("POST", f"/webhooks/{provider}", content=body, headers=headers)


@pytest.mark.parametrize("provider", sorted(KEYS))
def test_a_signed_report_is_durable_before_its_200(providers, provider):
    answer = send(providers, provider, *calls(providers.clock.now)[provider])

    assert (answer.status_code, answer.json()["accepted"]) == (200, 1), answer.text
    (event,) = providers.events()
    assert event["event"] in ("Email Bounced", "Email Complained")
    assert (event["source"], event["trust"], event["properties"]["provider"]) == (
        "kairos",
        "server",
        provider,
    )
    assert event["properties"]["recipient"] == "ann@example.org"
    assert "ann@example.org" in event["properties"]["raw"]


@pytest.mark.parametrize("provider", sorted(KEYS))
def test_a_forged_report_is_refused_with_the_reason(providers, provider):
    body, headers = calls(providers.clock.now)[provider]
    changed = {"postmark": None, "brevo": None, "sparkpost": None}
    forged = (body, {"authorization": "Basic " + base64.b64encode(b"ann:guess").decode()})
    if provider not in changed:
        forged = (body.replace(b"ann", b"bob", 1), headers)
    if provider == "mailgun":
        forged = (as_mailgun({"event": "complained"}, providers.clock.now, key="guess"), {})

    for attempt in (forged, (body, {})) if headers else (forged,):
        answer = send(providers, provider, *attempt)
        assert answer.status_code == 403, answer.text
        assert answer.json()["code"] in ("invalid_signature", "missing_signature")
    assert providers.events() == []


@pytest.mark.parametrize("provider", ["resend", "sendgrid", "mailgun", "amazon_ses"])
@pytest.mark.parametrize("age", [timedelta(hours=25), -timedelta(hours=25)])
def test_a_stale_report_is_refused(providers, provider, age):
    answer = send(providers, provider, *calls(providers.clock.now - age)[provider])

    assert (answer.status_code, answer.json()["code"]) == (403, "stale_signature")


@pytest.mark.parametrize("provider", ["resend", "sendgrid", "mailgun"])
def test_five_minutes_are_the_limit(providers, provider):
    call = calls(providers.clock.now)[provider]
    providers.clock.pass_seconds(301)

    assert send(providers, provider, *call).json()["code"] == "stale_signature"


@pytest.mark.parametrize("provider", ["resend", "sendgrid", "mailgun"])
def test_the_very_same_call_is_refused_the_second_time(providers, provider):
    call = calls(providers.clock.now)[provider]

    answers = [send(providers, provider, *call) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 409]
    assert answers[1].json()["code"] == "replayed"
    assert len(providers.events()) == 1


@pytest.mark.parametrize("provider", sorted(KEYS))
def test_a_providers_retry_adds_nothing(providers, provider):
    first = send(providers, provider, *calls(providers.clock.now)[provider])
    providers.clock.pass_seconds(60)
    body, headers = calls(providers.clock.now)[provider]
    if provider == "mailgun":
        body = as_mailgun(
            {"event": "complained", "id": "1", "recipient": "ann@example.org"}, providers.clock.now, "t2"
        )
    second = send(providers, provider, body, headers)

    assert (first.status_code, second.status_code) == (200, 200)
    assert len({event["message_id"] for event in providers.events()}) == 1
    assert len(providers.events()) == 1


def test_a_secret_path_and_a_header_are_as_good_as_a_login(providers):
    body = json.dumps(BOUNCED).encode()

    by_path = providers.request("POST", "/webhooks/sparkpost/token-1", content=b"[]")
    by_header = send(providers, "postmark", body, {"X-Webhook-Token": "secret"})
    by_header_in_full = send(providers, "postmark", body, {"X-Webhook-Token": "ann:secret"})

    assert (by_path.status_code, by_header.status_code, by_header_in_full.status_code) == (200, 403, 200)


def test_a_provider_without_a_key_and_one_nobody_knows_are_told_so(providers):
    without, unknown = (send(providers, name, b"{}", {}) for name in ("mailjet", "pigeon"))

    assert (without.status_code, without.json()["code"]) == (404, "provider_not_configured")
    assert "collector.webhooks.mailjet" in without.json()["message"]
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_provider")


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 400), (b"nonsense", 400), (b"3", 400), (b'{"x": 1}', 400), (b"[" * 5000, 400), (b"[[1]]", 400), (b"\xff", 400),
     (b'{"RecordType":"Bounce","Type":"HardBounce","Email":"\\u0000a@b.example"}', 400), (b"x" * 600_000, 413), (b"[]", 200),
     (b'{"RecordType":"Inbound"}', 200), (b'{"RecordType":"Bounce","Type":"New","ID":1e999}', 400)],
)  # fmt: skip
def test_a_signed_but_unusable_report_is_answered_and_never_breaks_anything(providers, body, status):
    login = {"authorization": "Basic " + base64.b64encode(b"ann:secret").decode()}

    answer = send(providers, "postmark", body, login)

    assert answer.status_code == status, answer.text
    assert answer.json().get("message") or answer.json()["success"]
    assert providers.events() == []


def test_an_event_of_a_kind_we_do_not_know_is_ignored_with_the_reason(providers):
    login = {"authorization": "Basic " + base64.b64encode(b"ann:secret").decode()}

    answer = send(providers, "postmark", b'{"RecordType": "Inbound"}', login)

    assert answer.json() == {
        "success": True,
        "accepted": 0,
        "ignored": ["Postmark record 'inbound' is not about an email we sent"],
    }


def test_what_could_not_be_written_is_not_acknowledged(clock):

    class Full:
        def append(self, payloads):
            raise LogFull(28, "no room")

    asked = Asked(Full(), clock, replace(CONFIG, webhook_keys=KEYS))
    answers = [send(asked, "resend", *calls(clock.now)["resend"]) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [503, 503], (
        "the second is no replay: nothing was accepted"
    )
    assert answers[0].headers["retry-after"]


# Amazon: whoever names the certificate must not choose where it comes from.


@pytest.mark.parametrize(
    "url",
    ["http://sns.eu-central-1.amazonaws.com/SimpleNotificationService-1.pem",
     "https://sns.eu-central-1.amazonaws.com.evil.example/SimpleNotificationService-1.pem",
     "https://evil.example/SimpleNotificationService-1.pem", "https://sns.eu-central-1.amazonaws.com@evil.example/SimpleNotificationService-1.pem",
     "https://sns.eu-central-1.amazonaws.com:8443/SimpleNotificationService-1.pem", "https://bucket.s3.amazonaws.com/SimpleNotificationService-1.pem",
     "https://sns.eu-central-1.amazonaws.com/other.pem", "https://sns.eu-central-1.amazonaws.com/x?SimpleNotificationService-1.pem",
     "https://127.0.0.1/SimpleNotificationService-1.pem", "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-1.pem#x", "file:///etc/passwd", "https://[", ""],
)  # fmt: skip
def test_a_certificate_comes_from_amazon_or_not_at_all(url):
    with pytest.raises(Forged, match="amazonaws"):
        certificate_url({"SigningCertURL": url})


def test_nothing_is_fetched_for_a_topic_that_is_not_ours(log, clock):
    fetched = []
    config = replace(CONFIG, webhook_keys={"amazon_ses": ("arn:aws:sns:eu-central-1:1:other",)})
    asked = Asked(log, clock, config)
    asked.app = create_app(config, log, clock, fetch=lambda url: fetched.append(url) or b"")

    answer = send(asked, "amazon_ses", as_sns("{}", clock.now), {})

    assert (answer.status_code, answer.json()["code"], fetched) == (403, "unknown_topic", [])


def test_both_versions_of_amazons_signature_are_known(providers):
    for version in ("1", "2"):
        body = as_sns('{"notificationType": "Received"}', providers.clock.now, version=version)
        assert send(providers, "amazon_ses", body, {}).status_code == 200


def test_a_subscription_is_never_confirmed_by_itself(providers, caplog):
    body = as_sns("confirm", providers.clock.now, kind="SubscriptionConfirmation")

    answer = send(providers, "amazon_ses", body, {})

    assert (answer.status_code, answer.json()["accepted"]) == (200, 0)
    assert "https://sns.eu-central-1.amazonaws.com/?x" in caplog.text
    assert providers.events() == []


# Examples that others published.


def test_the_example_of_standard_webhooks_verifies():
    at = datetime.fromtimestamp(1614265330, UTC)
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    call = Signed(headers, b'{"test": 2432232314}', at)

    assert StandardWebhooks().verify(call, [SVIX])
    with pytest.raises(Forged):
        StandardWebhooks().verify(replace(call, body=b'{"test": 2432232315}'), [SVIX])


def test_the_example_of_sendgrid_verifies():
    key = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g=="
    body = b'[{"email":"hello@world.com","event":"dropped","reason":"Bounced Address","sg_event_id":"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA","sg_message_id":"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0","smtp-id":"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>","timestamp":1600112492}]\r\n'
    headers = {
        "x-twilio-email-event-webhook-signature": "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM=",
        "x-twilio-email-event-webhook-timestamp": "1600112502",
    }
    call = Signed(headers, body, datetime.fromtimestamp(1600112502, UTC))

    assert SendGrid().verify(call, [key])
    with pytest.raises(Forged):
        SendGrid().verify(replace(call, body=body.strip()), [key])


def test_a_real_socket_takes_a_report(tmp_path):
    live = LiveCollector(tmp_path / "landing", replace(CONFIG, webhook_keys=KEYS)).start()
    try:
        answer = httpx.post(f"{live.url}/webhooks/postmark", json=BOUNCED, auth=("ann", "secret"), timeout=20)
        refused = httpx.post(f"{live.url}/webhooks/postmark", json=BOUNCED, auth=("ann", "guess"), timeout=20)
        assert (answer.status_code, refused.status_code) == (200, 403)
        assert [event["event"] for event in live.wait_for(1)] == ["Email Bounced"]
    finally:
        live.stop()


def test_a_call_is_good_once_among_all_workers(tmp_path, clock):
    """Two applications, as two workers have them, with the folder that they share."""
    from collector.log import FileLog
    from collector.metrics_share import MetricsShare

    config = replace(CONFIG, webhook_keys=KEYS)
    log = FileLog(tmp_path / "landing", clock=clock)
    workers = [Asked(log, clock, config) for _ in range(2)]
    for number, worker in enumerate(workers):
        worker.app = create_app(config, log, clock, share=MetricsShare(tmp_path, number))
    call = calls(clock.now)["sendgrid"]

    answers = [send(worker, "sendgrid", *call).status_code for worker in workers]

    assert answers == [200, 409]
