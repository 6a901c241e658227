"""Pictures of products that no photographer took: a colour and an outline per category."""

from functools import cache

from simulator.catalogue import Product, products

# Outlines in a field of 100 by 100, drawn for this shop.
_OUTLINES = {
    "jackets": "M38 22 50 30 62 22 80 34 74 54 68 50 68 82H32V50L26 54 20 34Z M50 30V82",
    "shirts": "M36 24Q50 36 64 24L82 36 74 50 67 46V80H33V46L26 50 18 36Z",
    "trousers": "M34 20H66L70 82H56L50 42 44 82H30Z",
    "footwear": "M24 34H44Q48 52 66 56 82 60 82 72H22Q20 52 24 34Z M22 72H82V78H22Z",
    "packs": "M34 34Q34 20 50 20T66 34V78Q66 82 62 82H38Q34 82 34 78Z M40 56H60V70H40Z M42 20V14H58V20",
    "camping": "M50 22 86 80H14Z M50 46 64 80H36Z",
}
_HUES = {"jackets": 205, "shirts": 28, "trousers": 255, "footwear": 12, "packs": 150, "camping": 95}


@cache
def picture(product_id: str) -> str | None:
    """SVG of one product, or None if there is no such product."""
    found = next((product for product in products() if product.product_id == product_id), None)
    return _draw(found) if found else None


def _draw(product: Product) -> str:
    hue = _HUES[product.category] + int(product.product_id[2:]) % 10 * 3
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100" width="400" height="400">'
        f'<rect width="100" height="100" fill="hsl({hue} 42% 91%)"/>'
        f'<path d="{_OUTLINES[product.category]}" fill="hsl({hue} 45% 62%)" fill-rule="evenodd" '
        f'stroke="hsl({hue} 48% 30%)" stroke-width="1.6" stroke-linejoin="round"/></svg>'
    )
