"""The crowd for a live shop: the visits of the bulk generator, ready to be lived through one by one."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from simulator.behaviour import act
from simulator.browsing import Cohort
from simulator.faults import Rates
from simulator.plan import Kind
from simulator.render import Renderer

_SERVER_KINDS = (Kind.IDENTIFY, Kind.ORDER_COMPLETED)  # what a shop's own server says, not the browser
_LATE_MS = 10 * 60_000
_HORIZON_MS = 3 * 3600_000  # who comes back later than this comes back after the show


Calls = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Visitor:
    """The visits of one visitor, in time order, as rows of `plan.EVENT`, and the calls of the first one.

    `at` becomes the age of an event when it is sent, `arrival` the moment of sending, both in ms; the
    moment counts from the visitor's first event. A visit that a phone held back is sent at once, hours old.
    """

    visits: list[np.ndarray]
    first_calls: Calls


def visitors(seed: int, rates: Rates, renderer: Renderer) -> Iterator[Visitor]:
    """Visitor after visitor, for ever."""
    cohort = Cohort(seed, 0, 256, 0, 0, 0, 0, 0, 60_000)
    while True:
        done = act(cohort, rates)
        events = np.concatenate(done.parts)
        events = events[np.lexsort((events["uid"], events["arrival"], events["visitor"]))]
        people = np.split(events, np.flatnonzero(np.diff(events["visitor"])) + 1)
        yield from _rendered([list(_live(one)) for one in people], renderer)
        cohort = replace(
            cohort,
            number=cohort.number + 1,
            first_visitor=cohort.first_visitor + cohort.visitors,
            first_session=done.next_session,
            first_page_view=done.next_page_view,
            first_uid=done.next_uid,
        )


def _rendered(people: list[list[np.ndarray]], renderer: Renderer) -> Iterator[Visitor]:
    """First visits become text together, ten times cheaper than one by one; later ones when they begin."""
    calls = iter(renderer.calls(np.concatenate([visits[0] for visits in people])))
    for visits in people:
        yield Visitor(visits, list(islice(calls, len(visits[0]))))


def _live(events: np.ndarray) -> Iterator[np.ndarray]:
    began = events["at"].min()
    age = events["arrival"] - events["at"]
    moment = np.where(age > _LATE_MS, 0, events["arrival"] - began)
    events["at"], events["arrival"] = age, moment
    events = events[np.argsort(moment, kind="stable")]
    pauses = np.flatnonzero(np.diff(events["arrival"]) > 30 * 60_000) + 1
    return (visit for visit in np.split(events, pauses) if visit["arrival"][0] < _HORIZON_MS)


def is_server(events: np.ndarray) -> np.ndarray:
    """Which of these calls the shop's server makes."""
    return np.isin(events["kind"], _SERVER_KINDS)
