"""A handful of customers who show, within half a minute, every moment a trigger waits for.

The demo plays them beside the ordinary crowd. They say nothing untrue: who reports 190 seconds on a page
opened it before the demo began.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from simulator import people
from simulator.catalogue import Page, Product, pages, products
from simulator.devices import DEVICES

IPHONE, PIXEL, WINDOWS, MAC = 0, 1, 2, 3


@dataclass(frozen=True)
class Step:
    """One call of a story: `at` seconds after the start (negative: happened before it)."""

    at: float
    is_server: bool
    call: dict


@dataclass
class Persona:
    """Someone with a name, and what they have done so far."""

    name: str
    tier: str
    place: int
    device: int
    seed: int
    consent: bool = True
    cart: list[Product] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    @property
    def key(self) -> str:
        return f"{self.name.lower()}-{self.seed}"

    def does(self, at: float, call: dict, is_server: bool = False) -> None:
        _, zone, _, locale = people.PLACES[self.place]
        context = {**DEVICES[self.device].context, "locale": locale, "timezone": zone,
                   "sessionId": f"s-{self.key}"}  # fmt: skip
        ids = {
            "messageId": f"story-{self.key}-{len(self.steps)}",
            "anonymousId": f"visitor-{self.key}",
            "userId": f"customer-{self.key}",
        }
        self.steps.append(Step(at, is_server, {**call, **ids, "context": context}))

    def tracks(self, at: float, event: str, properties: dict, is_server: bool = False) -> None:
        self.does(at, {"type": "track", "event": event, "properties": properties}, is_server)

    def signs_in(self, at: float) -> None:
        """By the server: only its word counts for addresses and consent."""
        _, zone, country, locale = people.PLACES[self.place]
        traits = {
            "email": f"{people.address_part(self.name)}.{self.seed}@example.com",
            "first_name": self.name,
            "tier": self.tier,
            "timezone": zone,
            "locale": locale,
            "country": country,
            "consent": self.consent,
        }
        self.does(at, {"type": "identify", "traits": traits}, is_server=True)

    def opens(self, at: float, page: Page) -> str:
        """Returns the id of the page view."""
        view = f"pv-{self.key}-{len(self.steps)}"
        properties = {
            "path": page.path,
            "title": page.title,
            "page_type": page.page_type,
            "page_view_id": view,
        }
        self.does(at, {"type": "page", "name": page.name, "properties": properties})
        return view

    def reads(self, at: float, page: Page, view: str, engaged: int, scroll: int, clicks: int = 1) -> None:
        properties = {
            "page_view_id": view, "path": page.path, "title": page.title, "page_type": page.page_type,
            "engaged_seconds": engaged, "scroll_percent": scroll, "click_count": clicks,
            "spec_count": scroll // 20, "is_final": False,
        }  # fmt: skip
        if page.product is not None:
            properties["product_id"] = f"p-{page.product + 1:03d}"
        self.tracks(at, "Page Engaged", properties)

    def adds(self, at: float, product: Product) -> None:
        self.cart.append(product)
        self.tracks(at, "Product Added", {**product.item(), "cart_id": f"cart-{self.key}"})

    def pays(self, at: float) -> None:
        self.tracks(at, "Order Completed", {"order_id": f"order-{self.key}", **self._cart()}, is_server=True)
        self.cart = []

    def checks_out(self, at: float) -> None:
        self.tracks(at, "Checkout Started", self._cart())

    def _cart(self) -> dict:
        total = round(sum(product.price for product in self.cart), 2)
        items = [product.item() for product in self.cart]
        return {"cart_id": f"cart-{self.key}", "total": total, "currency": "USD", "products": items}


def stories(seed: int, shop_url: str) -> list[Step]:
    """All steps of all personas, by time."""
    goods = products(shop_url)
    personas = [*_readers(seed), *_explorers(seed), *_lingerers(seed), *_leavers(seed, goods)]
    personas += _buyers(seed, goods)
    return sorted((step for one in personas for step in one.steps), key=lambda step: step.at)


def _readers(seed: int) -> Iterator[Persona]:
    """Scroll a product page to its end: page depth, about eight seconds in."""
    cast = (
        ("Noor", "vip", 0, IPHONE, 1),
        ("Bruno", "regular", 4, WINDOWS, 9),
        ("Asha", "loyal", 9, PIXEL, 18),
    )
    for name, tier, place, device, start in cast:
        one, page = Persona(name, tier, place, device, seed), pages()[start]
        one.signs_in(start)
        view = one.opens(start + 0.5, page)
        one.reads(start + 4, page, view, engaged=3, scroll=52)
        one.reads(start + 8, page, view, engaged=7, scroll=86)
        yield one


def _explorers(seed: int) -> Iterator[Persona]:
    """Video, comparison, questions: feature exploration, about ten seconds in."""
    cast = (
        ("Teo", "regular", 1, MAC, 2),
        ("Ingrid", "vip", 4, IPHONE, 12),
        ("Kiran", "regular", 11, PIXEL, 21),
    )
    for name, tier, place, device, start in cast:
        one, page = Persona(name, tier, place, device, seed), pages()[30 + start]
        one.signs_in(start)
        view = one.opens(start + 0.5, page)
        for pause, feature in ((3, "video_demo"), (6, "comparison_table"), (9, "faq")):
            about = {
                "feature": feature,
                "page_view_id": view,
                "path": page.path,
                "product_id": f"p-{31 + start:03d}",
            }
            one.tracks(start + pause, "Feature Used", about)
        yield one


def _lingerers(seed: int) -> Iterator[Persona]:
    """Opened a page minutes ago and still read it: time on page, a few seconds in."""
    pricing = next(page for page in pages() if page.page_type == "pricing")
    cast = (("Odile", "loyal", 5, MAC, 3, pricing), ("Piotr", "regular", 4, WINDOWS, 10, pages()[8]),
            ("Maeve", "vip", 3, IPHONE, 19, pages()[40]))  # fmt: skip
    for name, tier, place, device, start, page in cast:
        one = Persona(name, tier, place, device, seed)
        one.signs_in(start)
        view = one.opens(start - 178, page)
        one.reads(start + 2, page, view, engaged=180, scroll=40, clicks=2)
        one.reads(start + 12, page, view, engaged=190, scroll=44, clicks=2)
        yield one


def _leavers(seed: int, goods: tuple[Product, ...]) -> Iterator[Persona]:
    """Fill a cart and go. One comes back for a look in time, one has not agreed to be mailed."""
    cast = (
        ("Valentina", "vip", 0, IPHONE, 1, (0, 30), True),  # over $100: high-value recovery
        ("Denis", "regular", 4, WINDOWS, 3, (14, 25), True),  # over $50
        ("Suzu", "regular", 8, PIXEL, 5, (36, 46), True),  # below $50
        ("Conall", "loyal", 3, MAC, 7, (20, 26, 57), True),
        ("Petra", "regular", 4, PIXEL, 9, (11, 39), False),
    )
    for name, tier, place, device, start, wanted, consent in cast:
        one = _shopper(Persona(name, tier, place, device, seed, consent), start, goods, wanted)
        if name == "Conall":
            one.opens(start + 60, pages()[wanted[0]])
        yield one


def _buyers(seed: int, goods: tuple[Product, ...]) -> Iterator[Persona]:
    """Fill a cart and buy it within ninety seconds: nobody may mail them about the cart."""
    cast = (("Hamid", "vip", 1, IPHONE, 2, (1, 31)), ("Lotte", "regular", 4, WINDOWS, 6, (12, 32)),
            ("Ximena", "loyal", 6, PIXEL, 14, (3, 45)))  # fmt: skip
    for name, tier, place, device, start, wanted in cast:
        one = _shopper(Persona(name, tier, place, device, seed), start, goods, wanted)
        one.checks_out(start + 30)
        one.pays(start + 62)
        yield one


def _shopper(one: Persona, start: float, goods: tuple[Product, ...], wanted: tuple[int, ...]) -> Persona:
    one.signs_in(start)
    for turn, number in enumerate(wanted):
        one.opens(start + 1 + 2 * turn, pages()[number])
        one.adds(start + 2 + 2 * turn, goods[number])
    return one
