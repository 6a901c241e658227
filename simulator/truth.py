"""What should follow from the traffic under the default thresholds (rows M11 to M14 of the mission).

Instants are those of the events themselves, as if all had arrived at once and in order.
A visitor with a late visit is marked: what ripens too late is meant to expire, not to be mailed.
"""

import numpy as np
import polars as pl

from simulator import people, wire
from simulator.browsing import IS_PRODUCT
from simulator.plan import Kind

CART_ITEMS, CART_SILENCE_MS = 2, 90_000  # two or more items, more than 90 s without any event
SCROLL_PERCENT = 80
ENGAGED_SECONDS, CLICKS = 180, 5  # more than three minutes, fewer than five clicks
FEATURE_USES, FEATURE_WINDOW_MS = 3, 300_000

_NEVER = np.iinfo(np.int64).max


def of(events: np.ndarray, items: np.ndarray, seed: int) -> pl.DataFrame:
    """Ground truth of one cohort: one row per cart, per ripened page view and session, per order.

    Columns: trigger_name, anonymous_id, customer_id (null: never identified), session_id, entity_id,
    began_at, qualifies_at (null: never), bought_at (first order at or after it, null: none),
    is_known (had identified by then), has_consent, is_late (some visit of this person arrived hours late).
    """
    frames = [
        _carts(events, items),
        _first(events, _depth(events), "page_depth", "page_view"),
        _first(events, _dwell(events), "time_on_page", "page_view"),
        _first(events, _exploration(events), "feature_exploration", "session"),
        _orders(events),
    ]
    return _describe(events, pl.concat(frames), seed)


def _carts(events: np.ndarray, items: np.ndarray) -> pl.DataFrame:
    """Every cart, with the first instant at which it had lain still long enough, if ever."""
    begins = np.flatnonzero((events["kind"] == Kind.PRODUCT_ADDED) & (items == 1))
    cart_of = np.cumsum(np.isin(np.arange(len(events)), begins)) - 1
    same = events["visitor"][1:] == events["visitor"][:-1]
    silence = np.append(np.where(same, np.diff(events["at"]), _NEVER), _NEVER)
    ripe = np.flatnonzero((items >= CART_ITEMS) & (silence > CART_SILENCE_MS))
    carts, first = np.unique(cart_of[ripe], return_index=True)
    qualifies = np.full(len(begins), _NEVER)
    qualifies[carts] = events["at"][ripe[first]] + CART_SILENCE_MS
    number = events["cart_number"][begins].astype(np.int64)
    return _rows(events, begins, "cart_abandonment", events["visitor"][begins] * 1000 + number, qualifies)


def _depth(events: np.ndarray) -> np.ndarray:
    beats = events["kind"] == Kind.PAGE_ENGAGED
    return beats & (events["scroll"] >= SCROLL_PERCENT) & IS_PRODUCT[events["page"]]


def _dwell(events: np.ndarray) -> np.ndarray:
    beats = events["kind"] == Kind.PAGE_ENGAGED
    return beats & (events["engaged"] > ENGAGED_SECONDS) & (events["clicks"] < CLICKS)


def _exploration(events: np.ndarray) -> np.ndarray:
    uses = np.flatnonzero(events["kind"] == Kind.FEATURE_USED)
    back = FEATURE_USES - 1
    near = events["at"][uses[back:]] - events["at"][uses[:-back]] <= FEATURE_WINDOW_MS
    together = events["session"][uses[back:]] == events["session"][uses[:-back]]
    ripe = np.zeros(len(events), bool)
    ripe[uses[back:][near & together]] = True
    return ripe


def _first(events: np.ndarray, ripe: np.ndarray, trigger: str, entity: str) -> pl.DataFrame:
    """The first ripe event of each entity."""
    at = np.flatnonzero(ripe)
    _, first = np.unique(events[entity][at], return_index=True)
    rows = at[first]
    return _rows(events, rows, trigger, events[entity][rows], events["at"][rows])


def _orders(events: np.ndarray) -> pl.DataFrame:
    rows = np.flatnonzero(events["kind"] == Kind.ORDER_COMPLETED)
    return _rows(events, rows, "order", events["page_view"][rows], np.full(len(rows), _NEVER))


def _rows(
    events: np.ndarray, rows: np.ndarray, trigger: str, entity: np.ndarray, qualifies: np.ndarray
) -> pl.DataFrame:
    began = events["at"][rows]
    known_from = _first_at(events, events["kind"] == Kind.IDENTIFY, events["visitor"][rows], began * 0)
    moment = np.where(qualifies == _NEVER, began, qualifies)
    bought = _first_at(events, events["kind"] == Kind.ORDER_COMPLETED, events["visitor"][rows], moment)
    return pl.DataFrame(
        {
            "trigger_name": np.full(len(rows), trigger, dtype=object).tolist(),
            "visitor": events["visitor"][rows],
            "session": events["session"][rows],
            "entity": entity.astype(np.int64),
            "began_at": began,
            "qualifies_at": qualifies,
            "bought_at": bought,
            "is_known": known_from <= moment,
        },
        schema_overrides={"trigger_name": pl.String},
    )


def _first_at(events: np.ndarray, which: np.ndarray, visitor: np.ndarray, since: np.ndarray) -> np.ndarray:
    """For each (visitor, since): the first marked event of the visitor at or after `since`, or never."""
    marks = events[which]
    origin = int(events["at"].min()) if len(events) else 0
    base = int(events["visitor"].min()) if len(events) else 0
    keys = ((marks["visitor"] - base) << 44) + (marks["at"] - origin)
    spot = np.searchsorted(keys, ((visitor - base) << 44) + np.maximum(since - origin, 0))
    found = np.append(marks["at"], _NEVER)[spot]
    return np.where(np.append(marks["visitor"], -1)[spot] == visitor, found, _NEVER)


def _describe(events: np.ndarray, frame: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Numbers become the ids and instants that stand in the traffic."""
    known = np.unique(events["visitor"][events["kind"] == Kind.IDENTIFY])
    late = np.unique(events["visitor"][events["arrival"] > events["at"]])
    visitor, session, entity = (frame[name].to_list() for name in ("visitor", "session", "entity"))
    named = np.isin(frame["visitor"].to_numpy(), known)
    names = [people.customer_id(seed, v) if k else None for v, k in zip(visitor, named, strict=True)]
    return frame.select(
        "trigger_name",
        pl.Series("anonymous_id", [wire.anonymous_id(seed, v) for v in visitor], pl.String),
        pl.Series("customer_id", names, pl.String),
        pl.Series("session_id", [wire.session_id(seed, s) for s in session], pl.String),
        pl.Series("entity_id", map(_entity_id(seed), frame["trigger_name"], entity), pl.String),
        *(_instant(name) for name in ("began_at", "qualifies_at", "bought_at")),
        "is_known",
        pl.Series("has_consent", people.draw(frame["visitor"].to_numpy(), seed).consent),
        pl.Series("is_late", np.isin(frame["visitor"].to_numpy(), late)),
    )


def _entity_id(seed: int):
    makers = {
        "cart_abandonment": lambda n: wire.cart_id(seed, n // 1000, n % 1000),
        "feature_exploration": lambda n: wire.session_id(seed, n),
        "order": lambda n: wire.order_id(seed, n),
    }
    return lambda trigger, number: makers.get(trigger, lambda n: wire.page_view_id(seed, n))(number)


def _instant(name: str) -> pl.Expr:
    known = pl.when(pl.col(name) < _NEVER).then(pl.col(name))
    return known.cast(pl.Datetime("ms", "UTC")).alias(name)
