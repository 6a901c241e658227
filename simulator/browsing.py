"""How people move through the shop: visits, pages, dwell, scrolling, clicking, exploring, wanting.

Everything is drawn for a whole cohort of visitors at once.
What depends on the contents of a cart is only a wish here; `carts.settle` grants or drops it.
"""

from dataclasses import dataclass

import numpy as np

from simulator import devices, people
from simulator.catalogue import page_number, pages
from simulator.plan import EVENT, HEARTBEAT_SECONDS, Kind, pick, rows

# By segment (explorer, bargain, loyal, vip), after facts/decision-science.md section 6.1. The chance to
# add is per product page of a visit in the mood to shop, so that about every fifth such visit fills a cart.
P_ADD = np.array([0.10, 0.18, 0.24, 0.30])
P_BUY = np.array([0.22, 0.28, 0.42, 0.50])
P_RETURN = np.array([0.12, 0.18, 0.26, 0.30])
P_KNOWN = np.array([0.45, 0.60, 0.85, 0.95])
P_MOOD, P_CARTLESS_ORDER, P_DROPS_AT_CHECKOUT = 0.35, 0.004, 0.2

PAGES_PER_VISIT = 6.0  # mean of the geometric part
DWELL_MEDIAN_S, DWELL_SIGMA = 24.0, 1.25  # real shop log: quantiles 24 s, 92 s, 486 s (50, 75, 90 %)
# Under half an hour, so that every reader's idea of a session (30 minutes of silence ends it) agrees.
DWELL_MAX_S, ENGAGED_MAX_S = 1500.0, 600.0
RETURN_MIN_S, RETURN_MAX_S = 40 * 60.0, 36 * 3600.0

IS_PRODUCT = np.array([page.page_type == "product" for page in pages()])
CART, CHECKOUT, THANKS = page_number("Cart"), page_number("Checkout"), page_number("Thanks")
HOME, GUIDE = page_number("Home"), page_number("Size Guide")


@dataclass(frozen=True)
class Cohort:
    """Some visitors who first come within one window; numbers count on from cohort to cohort."""

    seed: int
    number: int
    visitors: int
    first_visitor: int
    first_session: int
    first_page_view: int
    first_uid: int
    opens_at: int  # ms
    lasts: int  # ms


@dataclass
class Visits:
    """One row per session of the cohort."""

    visitor: np.ndarray  # position within the cohort
    segment: np.ndarray
    device: np.ndarray
    in_mood: np.ndarray
    browse_pages: np.ndarray
    tail_pages: np.ndarray  # 3: cart, checkout, thanks; 2: leaves at checkout; 1: an order out of nowhere


@dataclass
class Views:
    """One row per page view of the cohort, in the order of sessions and time."""

    session: np.ndarray  # position within the cohort
    ordinal: np.ndarray
    page: np.ndarray
    is_tail: np.ndarray
    is_cartless: np.ndarray
    dwell: np.ndarray  # ms
    start: np.ndarray  # ms since 1970


def wishes(cohort: Cohort, rng: np.random.Generator) -> np.ndarray:
    """All events the cohort would like to make, sorted by visitor and time."""
    visits = _visits(cohort, rng)
    views = _views(visits, rng)
    features = _features(views, rng)
    views.start = _starts(cohort, visits, views, rng)
    parts = [
        _at(views, np.arange(len(views.page)), 0, Kind.PAGE),
        _at(views, np.flatnonzero(IS_PRODUCT[views.page]), rng.integers(0, 3, IS_PRODUCT[views.page].sum()),
            Kind.PRODUCT_VIEWED),
        _feature_events(views, features),
        _heartbeats(views, rng),
        *_cart_wishes(visits, views, rng),
        *_tail(visits, views, rng),
    ]  # fmt: skip
    return _finish(cohort, visits, views, np.concatenate(parts), rng)


def _visits(cohort: Cohort, rng: np.random.Generator) -> Visits:
    numbers = cohort.first_visitor + np.arange(cohort.visitors)
    segment = people.segment_of(numbers, cohort.seed)
    count = 1 + rng.binomial(2, P_RETURN[segment])
    visitor = np.repeat(np.arange(cohort.visitors), count)
    device = devices.pick(rng.random(cohort.visitors))[visitor]
    n, segment = len(visitor), segment[visitor]
    in_mood = rng.random(n) < P_MOOD
    buys = rng.random(n) < P_BUY[segment]
    tail = np.where(buys, np.where(rng.random(n) < P_DROPS_AT_CHECKOUT, 2, 3), 0)
    tail = np.where(~buys & (rng.random(n) < P_CARTLESS_ORDER), 1, tail)
    return Visits(visitor, segment, device, in_mood, rng.geometric(1 / PAGES_PER_VISIT, n), tail)


def _views(visits: Visits, rng: np.random.Generator) -> Views:
    total = visits.browse_pages + visits.tail_pages
    session = np.repeat(np.arange(len(total)), total)
    ordinal = np.arange(len(session)) - np.repeat(np.cumsum(total) - total, total)
    step = ordinal - visits.browse_pages[session]  # 0, 1, 2 in the tail
    is_tail, is_cartless = step >= 0, visits.tail_pages[session] == 1
    tail_page = np.where(is_cartless, THANKS, np.choose(np.clip(step, 0, 2), [CART, CHECKOUT, THANKS]))
    page = np.where(is_tail, tail_page, _browse_page(ordinal == 0, rng))
    return Views(session, ordinal, page, is_tail, is_tail & is_cartless, _dwell(page, is_tail, rng), page)


def _browse_page(is_landing: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A product most often; its popularity falls with its place in the catalogue."""
    n = len(is_landing)
    product = (60 * rng.random(n) ** 1.6).astype(np.int64)
    other = HOME + 1 + rng.integers(0, 6, n)
    guide = GUIDE + rng.integers(0, 3, n)
    roll = rng.random(n)
    page = np.select([roll < 0.62, roll < 0.88, roll < 0.96], [product, other, guide], CART)
    return np.where(is_landing & (roll > 0.5), HOME, page)


def _dwell(page: np.ndarray, is_tail: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    median = np.where(is_tail, np.where(page == CHECKOUT, 45.0, 30.0), DWELL_MEDIAN_S)
    seconds = median * np.exp(DWELL_SIGMA * rng.standard_normal(len(page)))
    return (1000 * np.clip(seconds, 2.0, DWELL_MAX_S)).astype(np.int64)


def _features(views: Views, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Feature uses as (page view, ms after its start); a page view lasts as long as its last use."""
    explored = np.flatnonzero(IS_PRODUCT[views.page] & ~views.is_tail & (rng.random(len(views.page)) < 0.12))
    count = 1 + rng.binomial(4, 0.45, len(explored))
    view = np.repeat(explored, count)
    gap = (1000 * np.clip(22 * np.exp(rng.standard_normal(len(view))), 1.0, 240.0)).astype(np.int64)
    ends = np.cumsum(gap)
    first = np.repeat(np.cumsum(count) - count, count)
    offset = ends - np.where(first > 0, ends[first - 1], 0)
    np.maximum.at(views.dwell, view, offset + 2500)
    return view, offset


def _starts(cohort: Cohort, visits: Visits, views: Views, rng: np.random.Generator) -> np.ndarray:
    """When each page view starts: visitors arrive by daylight, pages follow pages, visits follow visits."""
    loading = rng.integers(120, 900, len(views.dwell))
    passed = np.cumsum(views.dwell + loading)
    before = passed - views.dwell - loading
    opens = np.flatnonzero(views.ordinal == 0)
    length = np.diff(np.append(before[opens], passed[-1]))
    spread = rng.random(len(length)) ** 2  # most come back soon
    pause = (1000 * (RETURN_MIN_S + (RETURN_MAX_S - RETURN_MIN_S) * spread)).astype(np.int64)
    elapsed = np.cumsum(length + pause) - length - pause
    first = np.searchsorted(visits.visitor, visits.visitor)
    arrives = cohort.opens_at + (cohort.lasts * np.sort(rng.random(cohort.visitors))).astype(np.int64)
    session_start = arrives[visits.visitor] + elapsed - elapsed[first]
    return session_start[views.session] + before - before[opens][views.session]


def _at(views: Views, view: np.ndarray, offset: np.ndarray | int, kind: Kind) -> np.ndarray:
    """Events of one kind on these page views, `offset` ms after their start."""
    events = rows(len(view), kind)
    events["at"] = views.start[view] + offset
    events["session"] = views.session[view]
    events["page_view"] = view
    events["page"] = views.page[view]
    events["is_tail"] = views.is_tail[view] & ~views.is_cartless[view]
    return events


def _feature_events(views: Views, features: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """At most six uses a session, each of another feature: distinct uses and uses are then the same count."""
    events = _at(views, *features, Kind.FEATURE_USED)
    session = events["session"]
    rank = np.arange(len(session)) - np.searchsorted(session, session)
    events["detail"] = rank % 6
    return pick(events, rank < 6)


def _heartbeats(views: Views, rng: np.random.Generator) -> np.ndarray:
    """What the engagement plugin reports: one beat every ten visible seconds, and one on leaving."""
    view = np.flatnonzero(~views.is_tail)
    visible = np.where(views.dwell[view] > 300_000, rng.uniform(0.2, 1.0, len(view)), 1.0)
    engaged = np.minimum(views.dwell[view] * visible / 1000 - 0.05, ENGAGED_MAX_S).astype(np.int64)
    depth = np.where(IS_PRODUCT[views.page[view]], rng.beta(1.5, 1.4, len(view)), rng.random(len(view)))
    clicks = rng.poisson(1.0 + engaged / 70)
    beats = (engaged - 1) // HEARTBEAT_SECONDS + 1  # the last one is the farewell
    row = np.repeat(np.arange(len(view)), beats)
    turn = np.arange(len(row)) - np.repeat(np.cumsum(beats) - beats, beats) + 1
    is_final = turn == beats[row]
    seconds = np.where(is_final, engaged[row], HEARTBEAT_SECONDS * turn)
    offset = np.where(is_final, views.dwell[view][row] - 20, 1000 * seconds)
    events = _at(views, view[row], offset, Kind.PAGE_ENGAGED)
    share = np.minimum(1.0, seconds / (0.6 * engaged[row] + 1))
    events["engaged"], events["is_final"] = seconds, is_final
    events["scroll"] = 100 * depth[row] * share
    events["clicks"] = np.minimum(clicks[row] * seconds // engaged[row], 40)
    events["detail"] = np.where(IS_PRODUCT[events["page"]], events["scroll"] // 16, 0)
    return events


def _cart_wishes(visits: Visits, views: Views, rng: np.random.Generator) -> list[np.ndarray]:
    """Adding, thinking better of it at once, looking into the cart, taking something out again."""
    chance = P_ADD[visits.segment] * np.where(visits.in_mood, 1.0, 0.03)
    hits = rng.random(len(views.page)) < chance[views.session]
    adds = np.flatnonzero(IS_PRODUCT[views.page] & ~views.is_tail & hits)
    when = (views.dwell[adds] * rng.uniform(0.3, 0.9, len(adds))).astype(np.int64)
    undone = rng.random(len(adds)) < 0.07
    undo_at = when[undone] + (views.dwell[adds][undone] - when[undone]) // 2
    looks = np.flatnonzero((views.page == CART) & ~views.is_tail)
    pruned = looks[rng.random(len(looks)) < 0.25]
    removals = [_at(views, adds[undone], undo_at, Kind.PRODUCT_REMOVED),
                _at(views, pruned, views.dwell[pruned] // 2, Kind.PRODUCT_REMOVED)]  # fmt: skip
    return [
        _at(views, adds, when, Kind.PRODUCT_ADDED),
        _at(views, looks, 1, Kind.CART_VIEWED),
        *removals,
    ]


def _tail(visits: Visits, views: Views, rng: np.random.Generator) -> list[np.ndarray]:
    """Cart, checkout (the payment sometimes tried twice), order."""
    cart, checkout, thanks = (
        np.flatnonzero(views.is_tail & (views.page == page)) for page in (CART, CHECKOUT, THANKS)
    )
    again = checkout[rng.random(len(checkout)) < 0.15]
    orders = _at(views, thanks, 1, Kind.ORDER_COMPLETED)
    # An order without any cart event (a phone call, another system): it brings its own product.
    orders["cart"] = np.where(views.is_cartless[thanks], 1 + rng.integers(0, 60, len(thanks)), 0)
    return [
        _at(views, cart, 1, Kind.CART_VIEWED),
        _at(views, checkout, 1, Kind.CHECKOUT_STARTED),
        _at(views, again, views.dwell[again] // 2, Kind.CHECKOUT_STARTED),
        orders,
    ]


def _finish(
    cohort: Cohort, visits: Visits, views: Views, events: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Identify calls, global numbers, the order of visitors and time."""
    identify, known_from = _identities(cohort, visits, views, rng)
    events = np.concatenate([events, identify])
    local = visits.visitor[events["session"]]
    events["is_known"] = events["at"] >= known_from[local]
    events["device"] = visits.device[events["session"]]
    events["visitor"] = cohort.first_visitor + local
    events["session"] += cohort.first_session
    events["page_view"] += cohort.first_page_view
    key = (local << 46) | ((events["at"] - cohort.opens_at) << 4) | events["kind"]
    return pick(events, np.argsort(key))


def _identities(
    cohort: Cohort, visits: Visits, views: Views, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Identify calls, and from when on each visitor is known (never: the end of time)."""
    first_session = np.searchsorted(visits.visitor, np.arange(cohort.visitors))
    is_known = rng.random(cohort.visitors) < P_KNOWN[visits.segment[first_session]]
    late_login = rng.random(cohort.visitors) < 0.4
    step = np.where(late_login, rng.random(cohort.visitors) * visits.browse_pages[first_session], 0)
    view = np.searchsorted(views.session, first_session) + step.astype(np.int64)
    identify = _at(views, view[is_known], 900, Kind.IDENTIFY)
    known_from = np.where(is_known, views.start[view] + 900, np.iinfo(np.int64).max)
    return identify, known_from


def bounces(cohort: Cohort, count: int) -> np.ndarray:
    """Visitors who see one page and go: they fill a file up to the number of events asked for."""
    events = np.zeros(count, EVENT)
    number = np.arange(count)
    events["at"] = cohort.opens_at + number * max(1, cohort.lasts // max(1, count))
    events["arrival"] = events["at"]
    events["visitor"] = cohort.first_visitor + number
    events["session"] = cohort.first_session + number
    events["page_view"] = cohort.first_page_view + number
    events["page"] = HOME
    return events
