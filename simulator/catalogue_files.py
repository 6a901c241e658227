"""The catalogue as a shop brings it along: what it sells, what customers wrote of it, how sizes fall."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from simulator.catalogue import CURRENCY, SHOP_URL, Product, products

SOLD_OUT = ("Kids Pack 12 L", "Storm Three-in-One")
FEW_LEFT = {"Harbour Rain Coat": 3, "Mid Hiking Boots": 2, "Titanium Cook Set": 4, "Merino Base Layer": 5}
MANY = 120

_AUTHORS = ("Nora L.", "Tomás R.", "Ingrid B.", "Samir K.", "Wanda P.", "Hugo M.", "Priya S.")
_WORDS = {
    "jackets": "Two hours of rain and dry underneath. The {name} has become the one I reach for.",
    "shirts": "I wore the {name} four days in a row on the trail, and nobody complained.",
    "trousers": "The {name} move with me, dry fast and still look fine in town.",
    "footwear": "No blisters, not even on the first long day with the {name}.",
    "packs": "Everything has its place in the {name}, and my back does not notice the weight.",
    "camping": "A week in the wind with the {name}: nothing bent, nothing leaked.",
}
_CRITICAL = "Good, but the {name} came in a shade I had not expected."

_SIZES = {
    "jackets": (("S", "Chest 88 to 94 cm."), ("M", "Chest 95 to 101 cm."), ("L", "Chest 102 to 109 cm.")),
    "shirts": (("S", "Chest 86 to 92 cm."), ("M", "Chest 93 to 99 cm."), ("L", "Chest 100 to 107 cm.")),
    "trousers": (("S", "Waist 72 to 78 cm."), ("M", "Waist 79 to 85 cm."), ("L", "Waist 86 to 93 cm.")),
    "footwear": (("40", "Foot 25.4 cm."), ("42", "Foot 26.7 cm."), ("44", "Foot 28.0 cm.")),
}
_WRITTEN = datetime(2026, 1, 1, tzinfo=UTC)


def write_catalogue(folder: Path, shop_url: str = SHOP_URL) -> bool:
    """Write products, reviews and size charts as Parquet into `folder`; False where a catalogue is there already."""
    if any(folder.glob("products*")):
        return False
    folder.mkdir(parents=True, exist_ok=True)
    goods = products(shop_url)
    for name, rows in (
        ("products", [_product(product, shop_url) for product in goods]),
        ("reviews", [review for product in goods for review in _reviews(product)]),
        ("size_charts", [size for product in goods for size in _sizes(product)]),
    ):
        pl.DataFrame(rows, infer_schema_length=None).write_parquet(folder / f"{name}.parquet")
    return True


def _product(product: Product, shop_url: str) -> dict[str, object]:
    name = product.name
    return {
        "product_id": product.product_id,
        "name": name,
        "category": product.category,
        "category_url": f"{shop_url}/c/{product.category}",
        "price": product.price,
        "currency": CURRENCY,
        "image_url": product.image_url,
        "url": product.url,
        "size_guide_url": f"{shop_url}/size-guide" if product.category in _SIZES else None,
        "stock": 0 if name in SOLD_OUT else FEW_LEFT.get(name, MANY),
        "is_hidden": False,
        "updated_at": _WRITTEN.replace(tzinfo=None),
    }


def _reviews(product: Product) -> Iterable[dict[str, object]]:
    """One of praise with consent, one that is critical, and one whose author was not asked."""
    number = int(product.product_id.removeprefix("p-"))
    praise = (5 - number % 2, _WORDS[product.category], True)
    for turn, (rating, words, consent) in enumerate((praise, (3, _CRITICAL, True), (5, "Perfect.", False))):
        yield {
            "review_id": f"r-{number:03d}-{turn}",
            "product_id": product.product_id,
            "rating": rating,
            "quote": words.format(name=product.name),
            "author": _AUTHORS[(number + turn) % len(_AUTHORS)],
            "has_consent_to_quote": consent,
            "written_at": (_WRITTEN - timedelta(days=number + turn)).replace(tzinfo=None),
        }


def _sizes(product: Product) -> Iterable[dict[str, object]]:
    for rank, (size, note) in enumerate(_SIZES.get(product.category, ())):
        yield {"product_id": product.product_id, "size": size, "note": note, "size_rank": rank}
