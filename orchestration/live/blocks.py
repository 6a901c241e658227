"""The parts of an email that speak of products: columns of fct_send_decisions as senders/context.py names them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

Product = dict[str, Any]

_OBJECTS = ("product", "category", "proof", "review", "size_guide", "loyalty", "stock")
_LISTS = {"viewed": "viewed_products", "similar": "similar_products", "accessories": "accessories"}
MOST = 8  # twice what a grid shows, so that a template may choose


def blocks(row: Mapping[str, Any]) -> dict[str, Any]:
    """Objects that the models found, and every list, empty where they found nothing."""
    found = {name: json.loads(row[name]) for name in _OBJECTS if row[name]}
    return found | {name: json.loads(row[column] or "[]") for name, column in _LISTS.items()}


def without_repeats(content: Mapping[str, Any], shown: Sequence[Product]) -> dict[str, Any]:
    """What the email is about is not recommended in it once more."""
    known = {product["product_id"] for product in shown}
    fresh = {
        name: [product for product in content[name] if product["product_id"] not in known][:MOST]
        for name in _LISTS
    }
    return {**content, **fresh}


def product_of_page(evidence: Mapping[str, Any], card: Product | None) -> Product | None:
    """What the page said of its product; the catalogue's card fills what it left open."""
    said = {
        "product_id": evidence.get("product_id"),
        "name": evidence.get("product_name"),
        "price": evidence.get("price"),
        "image_url": evidence.get("image_url"),
        "url": evidence.get("page_url"),
    }
    product = said | {name: value for name, value in (card or {}).items() if said.get(name) is None}
    return product if product["name"] else None


def currency_of(product: Product | None, content: Mapping[str, Any]) -> str | None:
    """That of the first product shown: a catalogue has one currency."""
    shown = [product or {}, *(one for name in _LISTS for one in content[name])]
    return next((one["currency"] for one in shown if one.get("currency")), None)
