"""What a template may say: the contract between the models (`Decision.content`) and the emails.

A key that no model supplies does not exist for a template either: `kairos templates check` refuses it.
Every block may be missing; lists are then empty and objects null, so a template asks `{% if … %}`.
"""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Shop(_Part):
    """Who writes. `address` is the postal address, if there is one."""

    name: str
    url: str
    address: str | None = None


class Product(_Part):
    """`price` is for one piece, in the context's `currency`."""

    product_id: str
    name: str
    price: float | None = None
    currency: str | None = None
    image_url: str | None = None
    url: str | None = None


class Item(Product):
    """A product in the cart."""

    quantity: int | None = None


class Category(_Part):
    """The category that was left behind."""

    name: str
    url: str | None = None


class Proof(_Part):
    """`percent` of the `sample` people who put it in the cart in the last `since_days` days bought it."""

    percent: int = Field(ge=0, le=100)
    sample: int = Field(gt=0)
    product_name: str
    since_days: int


class Review(_Part):
    """A real customer's words, with consent to quote them."""

    quote: str
    author: str
    rating: int = Field(ge=1, le=5)
    product_name: str


class Size(_Part):
    """One line of a size comparison."""

    size: str
    note: str


class SizeGuide(_Part):
    """The guide that was looked at."""

    url: str | None = None
    product_name: str
    comparison: list[Size] = []


class Loyalty(_Part):
    """Points on the account; `tier` is a name."""

    points: int
    tier: str | None = None


class Coupon(_Part):
    """`expires_text` says `expires_at` (ISO 8601, UTC) in the reader's own time: "today at 18:40"."""

    code: str
    percent: int
    expires_at: str
    expires_text: str


class Stock(_Part):
    """Only when few are really left."""

    product_name: str
    left: int


class Offer(_Part):
    """An offer with its own words; a bare name (`free_shipping`) leaves the words to the template."""

    title: str | None = None
    text: str | None = None
    code: str | None = None
    url: str | None = None
    label: str | None = None


class Context(_Part):
    """Everything a template and a subject may name."""

    shop: Shop
    unsubscribe_url: str
    trigger_name: str
    route: str | None = None
    touch: int = 1
    first_name: str | None = None
    preheader: str | None = None
    offer: Offer | str | None = None

    items: list[Item] = []
    cart_value: float | None = None
    currency: str | None = None
    cart_url: str | None = None

    product: Product | None = None
    page_url: str | None = None
    page_title: str | None = None
    features: list[str] = []

    viewed: list[Product] = []
    similar: list[Product] = []
    accessories: list[Product] = []
    category: Category | None = None
    proof: Proof | None = None
    review: Review | None = None
    size_guide: SizeGuide | None = None
    loyalty: Loyalty | None = None
    coupon: Coupon | None = None
    stock: Stock | None = None
    focus: Literal["features", "proof"] | None = None


# An email without its link is no email: these two have no default, so that their absence is an error.
_NO_DEFAULT = {"cart_url", "page_url"}

DEFAULTS: Mapping[str, Any] = {
    name: field.default
    for name, field in Context.model_fields.items()
    if not field.is_required() and name not in _NO_DEFAULT
} | {"subject": ""}
