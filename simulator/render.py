"""Rows of the plan become Segment calls, fast.

A line is glued from about ten pieces, and nearly every piece is taken from a pool made beforehand: there
are only so many pages, scroll depths, minutes and seconds.
Only the few calls that are unlike any other (carts, orders, identify) are written one by one.
"""

from collections.abc import Callable, Iterator

import numpy as np

from simulator import people, wire
from simulator.catalogue import CURRENCY, Page, compact, pages, products
from simulator.devices import DEVICES
from simulator.plan import FEATURES, Kind, unpack

_LOW = 10_000  # ids count in ten digits: six from one pool, four from another
_REMEMBERED = 100_000  # sessions whose line ends are kept ready
_BLOCK = 2048  # lines, about a megabyte: written twice as fast as ten
_CLICKS, _SPECS = 41, 7
_APPS = np.array(["app" in device.context for device in DEVICES])
_TIME_COLUMNS = 2  # second and millisecond, in front of the visitor
_EMPTY = b""


class Renderer:
    """Writes the calls of one seed. `shop_url` is where product links and pictures point."""

    def __init__(self, seed: int, shop_url: str) -> None:
        self.seed = seed
        self.goods = products(shop_url)
        self.items = [compact(product.item())[1:-1] for product in self.goods]
        self._heads, self._head_base = self._common_heads()
        # The last entry is empty, so that position -1 is what a call without this piece takes.
        self._low = _pool([*(f"{n:04d}".encode() for n in range(_LOW)), _EMPTY])
        self._low_id = _pool(f'{n:04d}","timestamp":"'.encode() for n in range(_LOW))
        self._milli = _pool(f'.{n:03d}Z"'.encode() for n in range(1000))
        self._ends: dict[int, bytes] = {}
        self._engaged = _pool([*(_engaged(n // 2, bool(n % 2)) for n in range(2 * 601)), b'"}', _EMPTY])
        self._depth = _pool([*(_depth(n) for n in range(101 * _CLICKS * _SPECS)), _EMPTY])
        self._contexts = self._context_pool()

    def lines(self, events: np.ndarray) -> Iterator[bytes]:
        """The calls as lines of JSON, in the order of the rows, in blocks that a cache can hold."""
        columns = self._columns(events)
        woven, step = _weave(columns), _BLOCK * len(columns)
        for start in range(0, len(woven), step):
            yield b"".join(woven[start : start + step])

    def calls(self, events: np.ndarray) -> list[tuple[bytes, bytes]]:
        """Each call cut in two around its timestamp, for a sender who fills in the moment."""
        columns = self._columns(events)
        before = zip(*(column.tolist() for column in columns[: -1 - _TIME_COLUMNS]), strict=True)
        after = (b'"' + end.rstrip() for end in columns[-1].tolist())
        return [(b"".join(pieces), end) for pieces, end in zip(before, after, strict=True)]

    def _columns(self, events: np.ndarray) -> list[np.ndarray]:
        kind = events["kind"]
        is_beat = kind == Kind.PAGE_ENGAGED
        plain = kind <= Kind.FEATURE_USED
        high, low = np.divmod(events["page_view"], _LOW)
        uid_high, uid_low = np.divmod(events["uid"], _LOW)
        beat = events["engaged"] * 2 + events["is_final"]
        second, ms = np.divmod(events["at"], 1000)
        columns = [
            self._head(events, plain),
            _numbered(np.where(plain, high, -1), "{:06d}"),
            self._low[np.where(plain, low, -1)],
            self._engaged[np.where(is_beat, beat, np.where(plain, -2, -1))],
            self._depth[np.where(is_beat, _depth_key(events), -1)],
            _numbered(uid_high, ',"messageId":"m' + f"{self.seed}-" + "{:06d}"),
            self._low_id[uid_low],
            _seconds(second),
            self._milli[ms],
            self._visitors(events),
        ]
        self._mend(events, columns)
        return columns

    def _mend(self, events: np.ndarray, columns: list[np.ndarray]) -> None:
        """Late events say when they came; broken ones are broken as a whole."""
        for row in np.flatnonzero(events["arrival"] != events["at"]):
            columns[8][row] += b',"receivedAt":"%s"' % stamp(int(events["arrival"][row]))
        for row in np.flatnonzero(events["kind"] == Kind.BAD):
            for column in columns[1 : -1 - _TIME_COLUMNS]:
                column[row] = _EMPTY
            columns[0][row], columns[-1][row] = bad(self.seed, events[row]), b"}\n"

    def _common_heads(self) -> tuple[np.ndarray, np.ndarray]:
        """Beginnings of the common calls up to the number of the page view, and where each kind starts."""
        shop = pages()
        shelves = [
            [self._page(page, call) for page in shop for call in ("page", "screen")],
            [self._track("Product Viewed", self.goods[n].item()) for n in range(len(self.goods))],
            [self._track("Page Engaged", _where(page)) for page in shop],
            [self._track("Feature Used", {"feature": feature, **_place(page)}) for page in shop
             for feature in FEATURES],
        ]  # fmt: skip
        base = np.cumsum([0] + [len(shelf) for shelf in shelves[:-1]])
        return _pool(head for shelf in shelves for head in shelf), base

    def _page(self, page: Page, call: str) -> bytes:
        head = {"type": call, "name": page.name, "properties": _where(page)}
        return self._open(head)

    def _track(self, event: str, properties: dict) -> bytes:
        return self._open({"type": "track", "event": event, "properties": properties})

    def _open(self, head: dict) -> bytes:
        """The call without its two closing braces, ready for the number of the page view."""
        return compact(head)[:-2] + b',"page_view_id":"pv%d-' % self.seed

    def _head(self, events: np.ndarray, plain: np.ndarray) -> np.ndarray:
        kind, page = events["kind"], events["page"].astype(np.int64)
        place = np.choose(
            np.minimum(kind, Kind.FEATURE_USED),
            [page * 2 + _APPS[events["device"]], page, page, page * len(FEATURES) + events["detail"]],
        )
        place = np.where(plain, place + self._head_base[np.minimum(kind, Kind.FEATURE_USED)], 0)
        heads = self._heads[place]
        rare = np.flatnonzero(~plain & (kind != Kind.BAD))
        heads[rare] = _pool(self._rare(events[rare]))
        return heads

    def _rare(self, events: np.ndarray) -> list[bytes]:
        """Calls about carts and identities, each written out."""
        people_here = events["visitor"]
        traits = people.draw(people_here, self.seed)
        names = ("kind", "visitor", "page_view", "cart", "cart_number", "detail")
        values = zip(*(events[name].tolist() for name in names), strict=True)
        return [
            b'{"type":"identify","traits":{%s}' % people.identify_json(traits, row, self.seed)
            if value[0] == Kind.IDENTIFY
            else self._cart_call(*value)
            for row, value in enumerate(values)
        ]

    def _cart_call(self, kind: int, visitor: int, view: int, packed: int, number: int, product: int) -> bytes:
        cart = b',"cart_id":"%s"' % wire.cart_id(self.seed, visitor, number).encode() if number else b""
        page = b',"page_view_id":"%s"' % wire.page_view_id(self.seed, view).encode()
        name, fill = _CART_CALLS[kind]
        properties = fill(self, packed, view, product)
        return b'{"type":"track","event":"%s","properties":{%s%s%s}' % (name, properties, cart, page)

    def _one(self, packed: int, view: int, product: int) -> bytes:
        return self.items[product]

    def _all(self, packed: int, view: int, product: int) -> bytes:
        cart = unpack(packed)
        total = sum(self.goods[n].price for n in cart)
        shown = b"},{".join(self.items[n] for n in cart)
        inner = b"{%s}" % shown if cart else b""
        return b'"value":%.2f,"currency":"%s","products":[%s]' % (total, CURRENCY.encode(), inner)

    def _order(self, packed: int, view: int, product: int) -> bytes:
        total = sum(self.goods[n].price for n in unpack(packed))
        order = wire.order_id(self.seed, view).encode()
        return b'"order_id":"%s","total":%.2f,%s' % (order, total, self._all(packed, view, product))

    def _context_pool(self) -> list[list[list[bytes]]]:
        """By length, device and place: the context, open at the session id.

        Heartbeats are seven events in ten; their short context leaves out what the page call has said.
        """
        return [
            [[self._context(context, place) for place in people.PLACES] for context in length]
            for length in ([d.context for d in DEVICES], [{"device": d.context["device"]} for d in DEVICES])
        ]

    def _context(self, device: dict, place: tuple) -> bytes:
        context = compact({**device, "locale": place[3], "timezone": place[1]})
        return b',"context":%s,"sessionId":"s%d-' % (context[:-1], self.seed)

    def _visitors(self, events: np.ndarray) -> np.ndarray:
        """Who and with what: the end of each line. Few distinct ones, because visits are long."""
        is_beat = events["kind"] == Kind.PAGE_ENGAGED
        key = events["session"] * 4 + events["is_known"] * 2 + is_beat
        _, first, back = np.unique(key, return_index=True, return_inverse=True)
        some = events[first]
        place = people.place_of(some["visitor"], self.seed).tolist()
        columns = (some[name].tolist() for name in ("visitor", "session", "device", "is_known"))
        ends = map(self._end, key[first].tolist(), *columns, place, is_beat[first].tolist())
        return _pool(ends)[back]

    def _end(self, key: int, *about) -> bytes:
        """The end of a line, remembered: a visit is spread over many chunks."""
        if len(self._ends) > _REMEMBERED:
            self._ends.clear()
        if key not in self._ends:
            self._ends[key] = self._visitor(*about)
        return self._ends[key]

    def _visitor(
        self, visitor: int, session: int, device: int, is_known: bool, place: int, is_short: bool
    ) -> bytes:
        who = f',"anonymousId":"{wire.anonymous_id(self.seed, visitor)}"'.encode()
        name = f',"userId":"{people.customer_id(self.seed, visitor)}"'.encode() if is_known else b""
        return b'%s%s%s%d"}}\n' % (who, name, self._contexts[is_short][device][place], session)


_CART_CALLS: dict[int, tuple[bytes, Callable[[Renderer, int, int, int], bytes]]] = {
    Kind.PRODUCT_ADDED: (b"Product Added", Renderer._one),
    Kind.PRODUCT_REMOVED: (b"Product Removed", Renderer._one),
    Kind.CART_VIEWED: (b"Cart Viewed", Renderer._all),
    Kind.CHECKOUT_STARTED: (b"Checkout Started", Renderer._all),
    Kind.ORDER_COMPLETED: (b"Order Completed", Renderer._order),
}


def stamp(ms: int) -> bytes:
    """An instant as the SDKs write it, UTC with milliseconds."""
    return str(np.datetime64(ms, "ms")).encode() + b"Z"


def bad(seed: int, event: np.void) -> bytes:
    """A call no contract allows, in one of `faults.BAD_FLAVOURS` ways; still JSON, up to its timestamp."""
    call: dict = {"messageId": wire.message_id(seed, int(event["uid"]))}
    someone = {"anonymousId": f"broken-{event['uid']}"}
    deep: dict = {}
    for _ in range(40):
        deep = {"deeper": deep}
    flavours = (
        {"type": "track", "event": "Product Viewed", "properties": {}},  # nobody did it
        {**someone, "event": "Product Viewed", "properties": {}},  # no type
        {**someone, "type": "purchase", "properties": {"total": 10}},  # no such type
        {**someone, "type": "track", "properties": {"total": 10}},  # a track call without an event
        {**someone, "type": "track", "event": "Deep", "properties": deep},  # deeper than anyone nests
    )
    return compact({**call, **flavours[int(event["detail"])]})[:-1] + b',"timestamp":"'


def _pool(pieces) -> np.ndarray:
    pieces = list(pieces)
    pool = np.empty(len(pieces), object)
    pool[:] = pieces
    return pool


def _numbered(numbers: np.ndarray, form: str) -> np.ndarray:
    """The text of each number, none for -1; they lie close together, so every value is written once."""
    low, high = int(numbers.min(initial=0)), int(numbers.max(initial=0))
    pool = _pool(form.format(n).encode() if n >= 0 else _EMPTY for n in range(low, high + 1))
    return pool[numbers - low]


def _seconds(seconds: np.ndarray) -> np.ndarray:
    """Instants down to the second; neighbours share theirs."""
    distinct, back = np.unique(seconds, return_inverse=True)
    text = np.datetime_as_string(distinct.astype("M8[s]"), unit="s")
    return _pool(t.encode() for t in text.tolist())[back]


def _engaged(seconds: int, is_final: bool) -> bytes:
    return f'","engaged_seconds":{seconds},"is_final":{str(is_final).lower()}'.encode()


def _depth(key: int) -> bytes:
    rest, specs = divmod(key, _SPECS)
    scroll, clicks = divmod(rest, _CLICKS)
    return f',"scroll_percent":{scroll},"click_count":{clicks},"spec_count":{specs}}}'.encode()


def _depth_key(events: np.ndarray) -> np.ndarray:
    specs = np.where(events["kind"] == Kind.PAGE_ENGAGED, events["detail"], 0)
    return (events["scroll"].astype(np.int64) * _CLICKS + events["clicks"]) * _SPECS + specs


def _place(page: Page) -> dict:
    product = {} if page.product is None else {"product_id": f"p-{page.product + 1:03d}"}
    return {"path": page.path, **product}


def _where(page: Page) -> dict:
    return {"title": page.title, "page_type": page.page_type, **_place(page)}


def _weave(columns: list[np.ndarray]) -> list[bytes]:
    """Row by row, the pieces of all columns one after another."""
    woven: list = [None] * (len(columns) * len(columns[0]))
    for number, column in enumerate(columns):
        woven[number :: len(columns)] = column.tolist()
    return woven
