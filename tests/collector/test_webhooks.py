"""Whatever a provider calls it, an event of an email has one name here; and nothing a provider sends breaks us."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.webhooks.normalise import PROVIDERS, UnknownProvider, normalise, provider_named
from collector.webhooks.vocabulary import Ignored, MailEvent, Malformed

REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "esp_webhooks.jsonl"
# Its payload in the file is not the one its expectation was written for: all its fields say "metadata".
NOT_ITSELF = {"test_metadata_key_conflicts"}
# In a header of the call, which is not in the file; or a number where we say text.
ELSEWHERE = {"resend": {"event_id"}, "postal": {"message_id", "metadata"}}


def real() -> list[dict]:
    return [json.loads(line) for line in REAL.read_text().splitlines()] if REAL.exists() else []


def events(provider: str, payload) -> list[MailEvent]:
    return [found for found in normalise(provider, payload) if isinstance(found, MailEvent)]


@pytest.mark.skipif(
    not REAL.exists(), reason="the real payloads are not here: ../shared/data/esp_webhooks.jsonl"
)
@pytest.mark.parametrize("case", [pytest.param(case, id=f"{case['esp']}-{case['test']}") for case in real()])
def test_real_payloads_mean_what_is_expected(case):
    found = events(case["esp"], case["payload"])

    if case["test"] in NOT_ITSELF or not case["expected"]:
        assert found == []
        return
    (event,) = found
    for name, value in case["expected"].items():
        told = getattr(event, name)
        if name not in ELSEWHERE.get(case["esp"], ()):
            assert told == (value.strip() if isinstance(value, str) else value), name


# One bounce of each: hard for an unknown mailbox, soft for a full one.
HARD = {
    "amazon_ses": {"eventType": "Bounce", "mail": {"messageId": "m", "destination": ["a@b.example"]}, "bounce": {"bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": "a@b.example", "diagnosticCode": "smtp; 550 5.1.1 user unknown"}]}},
    "brevo": {"event": "hard_bounce", "email": "a@b.example", "reason": "550 5.1.1 user unknown"},
    "mailersend": {"type": "activity.hard_bounced", "data": {"email": {"recipient": {"email": "a@b.example"}}, "morph": {"reason": "550 5.1.1 user unknown"}}},
    "mailgun": {"signature": {}, "event-data": {"event": "failed", "severity": "permanent", "reason": "bounce", "recipient": "a@b.example", "delivery-status": {"code": 550, "enhanced-code": "5.1.1", "message": "user unknown"}}},
    "mailjet": {"event": "bounce", "email": "a@b.example", "hard_bounce": True, "error": "user unknown"},
    "mandrill": [{"event": "hard_bounce", "msg": {"email": "a@b.example", "diag": "smtp;550 5.1.1 user unknown"}}],
    "postal": {"event": "MessageDeliveryFailed", "payload": {"message": {"to": "a@b.example", "direction": "outgoing"}, "output": "550 5.1.1 user unknown"}},
    "postmark": {"RecordType": "Bounce", "Type": "HardBounce", "Email": "a@b.example", "ID": 1},
    "resend": {"type": "email.bounced", "data": {"to": ["a@b.example"], "bounce": {"type": "Permanent", "message": "550 5.1.1 user unknown"}}},
    "sendgrid": [{"event": "bounce", "email": "a@b.example", "type": "bounce", "status": "5.1.1", "reason": "550 5.1.1 user unknown"}],
    "sparkpost": [{"msys": {"message_event": {"type": "bounce", "bounce_class": "10", "raw_rcpt_to": "a@b.example"}}}],
    "unisender_go": {"event_name": "transactional_email_status", "event_data": {"status": "hard_bounced", "email": "a@b.example", "delivery_info": {"delivery_status": "err_user_unknown"}}},
}  # fmt: skip


@pytest.mark.parametrize("provider", sorted(HARD))
def test_an_unknown_mailbox_is_hard_at_every_provider(provider):
    (event,) = events(provider, HARD[provider])

    assert (event.recipient, event.hardness) == ("a@b.example", "hard")
    assert event.event_type in ("bounced", "failed")


@pytest.mark.parametrize("provider", sorted(HARD))
def test_a_full_mailbox_is_soft_whatever_the_provider_calls_it(provider):
    told = json.dumps(HARD[provider]).replace("user unknown", "mailbox full").replace("5.1.1", "5.2.2")
    told = told.replace('"bounce_class": "10"', '"bounce_class": "22"').replace(
        '"hard_bounce": true', '"hard_bounce": false'
    )
    told = told.replace("HardBounce", "SoftBounce").replace("err_user_unknown", "err_mailbox_full")
    told = told.replace("hard_bounced", "soft_bounced")

    (event,) = events(provider, json.loads(told))

    assert event.hardness == "soft"


@pytest.mark.parametrize("provider", sorted(set(PROVIDERS) - {"bounce_mail"}))
def test_our_decision_is_found_where_a_provider_keeps_it(provider):
    ours = "d1.0123456789abcdef@shop.example"
    told = {
        "amazon_ses": {"eventType": "Send", "mail": {"headers": [{"name": "Message-ID", "value": f"<{ours}>"}], "destination": ["a@b.example"]}},
        "brevo": {"event": "delivered", "email": "a@b.example", "message-id": f"<{ours}>"},
        "mailersend": {"type": "activity.sent", "data": {"meta": [{"name": "decision_id", "value": "d1"}]}},
        "mailgun": {"event-data": {"event": "delivered", "message": {"headers": {"message-id": ours}}}},
        "mailjet": {"event": "sent", "CustomID": "d1"},
        "mandrill": [{"event": "send", "msg": {"metadata": {"decision_id": "d1"}}}],
        "postal": {"event": "MessageSent", "payload": {"message": {"message_id": ours}}},
        "postmark": {"RecordType": "Delivery", "Metadata": {"decision_id": "d1"}},
        "resend": {"type": "email.sent", "data": {"tags": {"decision_id": "d1"}}},
        "sendgrid": [{"event": "delivered", "smtp-id": f"<{ours}>"}],
        "sparkpost": [{"msys": {"message_event": {"type": "delivery", "rcpt_meta": {"decision_id": "d1"}}}}],
        "unisender_go": {"status": "delivered", "metadata": {"decision_id": "d1"}},
    }  # fmt: skip

    (event,) = events(provider, told[provider])

    assert event.decision_id == "d1"


def test_a_complaint_taken_back_is_none():
    told = {"eventType": "Complaint", "mail": {}, "complaint": {"complaintFeedbackType": "not-spam", "complainedRecipients": [{"emailAddress": "a@b.example"}]}}  # fmt: skip

    assert events("amazon_ses", told) == []


def test_an_unknown_event_is_ignored_with_its_reason():
    (found,) = normalise("sendgrid", [{"event": "account_status_change", "email": "a@b.example"}])

    assert isinstance(found, Ignored)
    assert "account_status_change" in found.because


def test_a_repeated_event_has_the_same_id_and_another_event_another():
    first, again = (
        events("brevo", {"event": "delivered", "email": "a@b.example", "ts": 1}) for _ in range(2)
    )
    other = events("brevo", {"event": "delivered", "email": "a@b.example", "ts": 2})

    assert first[0].event_id == again[0].event_id != other[0].event_id


def test_names_of_providers_are_taken_as_people_write_them():
    assert [provider_named(name) for name in ("SES", "Amazon-SES", "sendinblue", "SendGrid")] == [
        *("amazon_ses", "amazon_ses", "brevo", "sendgrid")
    ]
    with pytest.raises(UnknownProvider, match="postmark"):
        provider_named("pigeon")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize("provider", sorted(PROVIDERS))
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_fields_of_any_shape_are_read_or_refused(provider, data):
    """Every value of a real payload is replaced by anything at all, one after the other."""
    payload = json.loads(json.dumps(HARD.get(provider, {"recipients": [{"kind": "hard"}]})))
    spots = list(_spots(payload))
    for container, key in data.draw(st.lists(st.sampled_from(spots), max_size=4)):
        container[key] = data.draw(ANYTHING)

    try:
        list(normalise(provider, payload))
    except Malformed as error:
        assert str(error)


def _spots(value):
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(pairs):
        yield value, key
        yield from _spots(inner)
