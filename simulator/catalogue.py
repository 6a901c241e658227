"""What the shop sells: sixty things to wear and carry outdoors, and the pages they are sold on."""

import json
from dataclasses import dataclass
from functools import lru_cache

SHOP_URL = "https://shop.example.com"
CURRENCY = "USD"

# category -> (product name, price) in the order of the catalogue
RANGE: dict[str, tuple[tuple[str, float], ...]] = {
    "jackets": (
        ("Alpine Shell Jacket", 229.00), ("Ridge Down Parka", 319.00), ("Harbour Rain Coat", 149.00),
        ("Fleece Zip Jacket", 89.00), ("Summit Softshell", 169.00), ("Packable Windbreaker", 74.50),
        ("Merino Field Jacket", 189.00), ("Winter Quilted Vest", 99.00), ("Storm Three-in-One", 279.00),
        ("Trail Running Jacket", 119.00),
    ),
    "shirts": (
        ("Merino Base Layer", 69.00), ("Linen Camp Shirt", 54.00), ("Sun Hoodie UPF 50", 64.00),
        ("Flannel Overshirt", 79.00), ("Organic Cotton Tee", 29.00), ("Quick-Dry Polo", 39.50),
        ("Long Sleeve Henley", 44.00), ("Thermal Half-Zip", 84.00), ("Striped Breton Top", 49.00),
        ("Cord Work Shirt", 72.00),
    ),
    "trousers": (
        ("Trek Zip-Off Trousers", 94.00), ("Stretch Hiking Pants", 109.00), ("Selvedge Denim", 129.00),
        ("Wool City Trousers", 139.00), ("Climbing Pants", 99.00), ("Ripstop Shorts", 49.00),
        ("Rain Overtrousers", 79.00), ("Fleece Joggers", 59.00), ("Insulated Ski Pants", 199.00),
        ("Travel Chinos", 89.00),
    ),
    "footwear": (
        ("Mid Hiking Boots", 189.00), ("Trail Runners", 139.00), ("Approach Shoes", 149.00),
        ("Camp Sandals", 69.00), ("Winter Boots", 219.00), ("Leather Chukka", 159.00),
        ("Merino Hiking Socks", 19.00), ("Wool House Slippers", 49.00), ("Gore Rain Boots", 99.00),
        ("Road Running Shoes", 129.00),
    ),
    "packs": (
        ("Daypack 22 L", 98.00), ("Trekking Pack 55 L", 259.00), ("Roll-Top Commuter", 119.00),
        ("Hip Pack", 39.00), ("Duffel 60 L", 149.00), ("Hydration Vest", 129.00), ("Dry Bag 20 L", 29.00),
        ("Camera Sling", 89.00), ("Kids Pack 12 L", 54.00), ("Carry-On Backpack", 199.00),
    ),
    "camping": (
        ("Two-Person Tent", 379.00), ("Down Sleeping Bag", 289.00), ("Inflatable Mat", 119.00),
        ("Titanium Cook Set", 79.00), ("Gas Stove", 59.00), ("Head Torch", 44.00),
        ("Steel Bottle 1 L", 34.00), ("Camp Chair", 69.00), ("Trekking Poles", 109.00),
        ("First Aid Kit", 32.00),
    ),
}  # fmt: skip

SPECS: dict[str, dict[str, str]] = {
    "jackets": {"material": "recycled nylon", "waterproof": "20,000 mm", "weight": "410 g", "fit": "regular"},
    "shirts": {"material": "merino wool", "weight": "160 g", "care": "30 degrees", "fit": "regular"},
    "trousers": {"material": "stretch ripstop", "inseam": "81 cm", "care": "30 degrees", "fit": "slim"},
    "footwear": {"upper": "leather", "sole": "rubber, 4 mm lugs", "drop": "6 mm", "width": "regular"},
    "packs": {"material": "420D nylon", "back length": "48 cm", "weight": "890 g", "warranty": "5 years"},
    "camping": {"season": "three", "packed size": "42 x 14 cm", "weight": "1.9 kg", "warranty": "5 years"},
}


@dataclass(frozen=True)
class Product:
    """One thing on the shelf. `price` is for one piece, in `CURRENCY`."""

    product_id: str
    name: str
    price: float
    category: str
    image_url: str
    url: str
    specs: dict[str, str]

    def item(self) -> dict[str, object]:
        """The item properties of Segment's ecommerce spec, for one piece."""
        return {
            "product_id": self.product_id,
            "name": self.name,
            "price": self.price,
            "quantity": 1,
            "currency": CURRENCY,
            "category": self.category,
            "image_url": self.image_url,
            "url": self.url,
        }


@dataclass(frozen=True)
class Page:
    """One page of the shop; `product` is its position in the catalogue, or None."""

    name: str
    path: str
    title: str
    page_type: str
    product: int | None = None


def slug(name: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in name.lower())


@lru_cache(maxsize=8)
def products(shop_url: str = SHOP_URL) -> tuple[Product, ...]:
    """The whole catalogue, with links that start with `shop_url`."""
    rows = [(category, *row) for category, shelf in RANGE.items() for row in shelf]
    return tuple(_product(shop_url, number, *row) for number, row in enumerate(rows, start=1))


def _product(shop_url: str, number: int, category: str, name: str, price: float) -> Product:
    product_id = f"p-{number:03d}"
    return Product(
        product_id,
        name,
        price,
        category,
        f"{shop_url}/images/{product_id}.svg",
        f"{shop_url}/products/{slug(name)}",
        SPECS[category],
    )


@lru_cache(maxsize=1)
def pages() -> tuple[Page, ...]:
    """Product pages first, so that page n < 60 is the page of product n; then the rest of the shop."""
    shelf = [
        Page("Product", f"/products/{slug(p.name)}", p.name, "product", number)
        for number, p in enumerate(products())
    ]
    return (*shelf, *_other_pages())


def _other_pages() -> list[Page]:
    return [
        Page("Home", "/", "Northbound Outfitters", "home"),
        *(Page("Category", f"/c/{name}", name.title(), "category") for name in RANGE),
        Page("Size Guide", "/size-guide", "Size guide", "guide"),
        Page("Shipping", "/shipping", "Shipping and returns", "guide"),
        Page("Club", "/club", "Northbound Club: prices and benefits", "pricing"),
        Page("Cart", "/cart", "Your cart", "cart"),
        Page("Checkout", "/checkout", "Checkout", "checkout"),
        Page("Thanks", "/thanks", "Thank you", "confirmation"),
    ]


def page_number(name: str) -> int:
    """Position in `pages()` of the only page with this name."""
    return next(number for number, page in enumerate(pages()) if page.name == name)


def compact(value: object) -> bytes:
    """JSON as it goes over the wire: no spaces, UTF-8."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
