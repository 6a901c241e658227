"""From a row of fct_send_decisions to what the ledger records."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from orchestration.live.blocks import blocks, currency_of, product_of_page, without_repeats
from senders.decision import Decision

RULES = (
    "is_reachable",
    "has_consent",
    "is_not_suppressed",
    "has_not_purchased",
    "is_timely",
    "is_most_telling",
    "is_not_too_soon",
    "is_within_weekly_cap",
    "has_something_to_offer",
)
INTENT = ("exploration_score", "abandonment_score", "pricing_seconds", "focus")


@dataclass(frozen=True)
class TriggerRules:
    """What the seeds say of all triggers, beyond the models."""

    exits: Mapping[
        str, Mapping[str, int]
    ]  # by trigger: the events that cancel, with the touch they count from
    sequence_versions: Mapping[str, int]  # by trigger: the version that newcomers enter
    coupons: Mapping[
        str, Mapping[str, Any]
    ]  # by offer: percent and valid_hours; code and deadline are the sender's

    def exit_events(self, trigger_name: str, touch: int) -> tuple[str, ...]:
        """Which events cancel this email."""
        of_trigger = self.exits.get(trigger_name, {})
        return tuple(event for event, from_touch in of_trigger.items() if touch >= from_touch)


@dataclass(frozen=True)
class Shop:
    """Who is writing: shown in every email."""

    name: str
    url: str
    address: str


def plan(
    row: Mapping[str, Any],
    rules: TriggerRules,
    shop: Shop,
    timings: Mapping[str, float],
    model_version: str,
) -> Decision:
    """One decision. `timings` are epoch seconds of this micro-batch."""
    # Later touches are about the same as the first, and keep the version they entered with.
    entered = {"sequence_version": rules.sequence_versions.get(row["trigger_name"])}
    evidence = entered | json.loads(row["evidence"] or "{}")
    coupon = {"coupon_offer": rules.coupons[row["offer"]]} if row["offer"] in rules.coupons else {}
    return Decision(
        decision_id=row["decision_id"],
        trigger_name=row["trigger_name"],
        touch=row["touch"],
        entity_id=row["entity_id"],
        session_id=row["session_id"],
        visitor_id=row["visitor_id"],
        customer_id=row["customer_id"],
        qualifies_at=aware(row["qualifies_at"]),
        expires_at=aware(row["expires_at"]),
        should_send=row["should_send"],
        needs_review=row["needs_review"],
        review_reason=row["review_reason"],
        hold_until=aware(row["hold_until"]),
        reasons={rule: bool(row[rule]) for rule in RULES},
        evidence={
            **evidence,
            "position": row["position"],
            "contents_from_position": row["contents_from_position"],
            "intent_score": row["intent_score"],
            "sends_this_week": row["sends_this_week"],
            **{name: row[name] for name in INTENT},
            "offer": row["offer"],  # what the branch offers; its template knows how to say it
            "model_version": model_version,
        },
        to_address=row["email"],
        timezone=row["timezone"],
        route=row["route"],
        variant=row["variant"],
        template=row["template"],
        subject=row["subject"],
        content=content(row, evidence, shop) | coupon,
        exit_events=rules.exit_events(row["trigger_name"], row["touch"]),
        # A batch may reach far behind the moment: whatever came after the moment's last event is for the gate.
        position=row["position"] + 1,
        timings={
            "occurred": aware(row["occurred_at"]).timestamp(),
            "received": aware(row["last_event_at"]).timestamp(),
            "ripened": aware(row["qualifies_at"]).timestamp(),
            **timings,
        },
    )


def content(row: Mapping[str, Any], evidence: Mapping[str, Any], shop: Shop) -> dict[str, Any]:
    """What a template may say: rows of the models, nothing invented."""
    common = {
        "first_name": row["first_name"],
        "shop": {"name": shop.name, "url": shop.url, "address": shop.address},
        "preheader": row["preheader"] or "",
        "trigger_name": row["trigger_name"],
        "route": row["route"],
        "touch": row["touch"],
        "focus": row["focus"],
        **blocks(row),
    }
    if row["trigger_name"] == "cart_abandonment":
        items = [item for item in json.loads(row["items"] or "[]") if item["name"]]
        is_as_it_was = row["touch"] == 1 and not row["has_left_out_items"]
        return without_repeats(common, items) | {
            "items": items,
            "cart_value": evidence.get("cart_value") if is_as_it_was else row["items_value"],
            "currency": evidence.get("currency"),
            "cart_url": shop.url.rstrip("/") + "/cart",
        }
    page = {"page_url": evidence.get("page_url"), "page_title": evidence.get("page_title")}
    product = product_of_page(evidence, common.get("product"))
    page |= {"product": product, "currency": currency_of(product, common)}
    common = without_repeats(common, [product] if product else [])
    if row["trigger_name"] == "feature_exploration":
        return common | page | {"features": [name for name in evidence.get("features") or [] if name]}
    return common | page


def aware(instant: datetime) -> datetime:
    """Models keep UTC without a zone; everything else is aware."""
    return instant.replace(tzinfo=UTC)
