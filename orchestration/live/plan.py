"""From a row of fct_send_decisions to what the ledger records."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

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
)


@dataclass(frozen=True)
class Shop:
    """Who is writing: shown in every email."""

    name: str
    url: str
    address: str


def plan(
    row: Mapping[str, Any],
    exits: Mapping[str, tuple[str, ...]],
    coupons: Mapping[str, Mapping[str, Any]],
    shop: Shop,
    position: int,
    timings: Mapping[str, float],
    model_version: str,
) -> Decision:
    """One decision. `position` is where the log stood; `timings` are epoch seconds of this micro-batch.

    `coupons` has percent and valid_hours of every offer that carries one; code and deadline are the sender's.
    """
    evidence = json.loads(row["evidence"] or "{}")
    coupon = {"coupon_offer": coupons[row["offer"]]} if row["offer"] in coupons else {}
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
            "sends_this_week": row["sends_this_week"],
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
        exit_events=exits.get(row["trigger_name"], ()),
        position=position,
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
    }
    if row["trigger_name"] == "cart_abandonment":
        return common | {
            "items": [item for item in json.loads(row["items"] or "[]") if item["name"]],
            "cart_value": evidence.get("cart_value"),
            "currency": evidence.get("currency"),
            "cart_url": shop.url.rstrip("/") + "/cart",
        }
    page = {"page_url": evidence.get("page_url"), "page_title": evidence.get("page_title")}
    if row["trigger_name"] == "feature_exploration":
        return common | page | {"features": [name for name in evidence.get("features") or [] if name]}
    return common | page | {"product": _product(evidence)}


def _product(evidence: Mapping[str, Any]) -> dict[str, Any] | None:
    if not evidence.get("product_name"):
        return None
    return {
        "product_id": evidence.get("product_id"),
        "name": evidence["product_name"],
        "price": evidence.get("price"),
        "image_url": evidence.get("image_url"),
        "url": evidence.get("page_url"),
    }


def aware(instant: datetime) -> datetime:
    """Models keep UTC without a zone; everything else is aware."""
    return instant.replace(tzinfo=UTC)
