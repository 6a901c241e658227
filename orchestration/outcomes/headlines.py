"""Three numbers people ask for, each only as far as chance has drawn who gets what.

Two rates of two groups that nobody drew, "42 % against 18 %", say nothing about emails: whoever was mailed had left
something in a cart. So each number compares sides that were drawn, or says why it cannot be known.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl

from orchestration.learning.anytime import half_width
from orchestration.learning.effects import MIN_HAPPENED, MIN_PEOPLE, Arm, Effect, NoControl, Z, arm, effect
from orchestration.learning.experiments import PLANNED, Lift, Result, measure
from orchestration.outcomes.figures import Figures

CART = "cart_abandonment"
NO_CONTROL = "not measurable: no control. Enable a row of kind holdout in experiments.csv"
NO_STATIC = "not measurable: no arm on a schedule. Add a row of kind static in experiments.csv"


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval. `unit`: % and pt are given in hundredths already."""

    label: str
    value: float
    low: float
    high: float
    unit: str = "%"
    signed: bool = False


@dataclass(frozen=True)
class Headline:
    """The first estimate is the number; `missing` says what cannot be known and why."""

    key: str
    title: str
    definition: str
    estimates: tuple[Estimate, ...] = ()
    missing: tuple[str, ...] = ()


def headlines(figures: Figures) -> list[Headline]:
    """All three, in the order of the page."""
    people = figures["people"]
    results = concurrent(people)
    found = [recovery(results), frequency(figures["emails"], people, results), high_value(figures)]
    if "people" in figures.frames:
        return found
    return [_with(one, (), [f"not measurable: {figures.problem}"]) for one in found]


def newest(people: pl.DataFrame, kind: str, triggers: tuple[str, ...]) -> str | None:
    """The experiment that took somebody in last, about the first of `triggers` that has any.

    A share that was changed is a row that ended and another one: their people cannot be thrown together.
    """
    for trigger in triggers if people.height else ():
        found = people.filter((pl.col("kind") == kind) & (pl.col("trigger_name") == trigger))
        ends = found.group_by("experiment").agg(pl.col("entered_at").max()).sort("entered_at", "experiment")
        if ends.height:
            return str(ends["experiment"][-1])
    return None


def concurrent(people: pl.DataFrame) -> dict[str, Result]:
    """The results of cart abandonment by kind, `holdout` and `static`, of people who entered while both ran.

    Two that never ran at the same time are not compared: then the holdout stands alone.
    """
    names = [name for kind in ("holdout", "static") if (name := newest(people, kind, (CART,)))]
    sides = [people.filter(pl.col("experiment") == name) for name in names]
    together = [side.filter(pl.col("entered_at").is_between(*_shared(sides))) for side in sides]
    if any(side.is_empty() for side in together):
        together = sides[:1]
    return {result.kind: result for side in together for result in measure(side)}


def _shared(sides: list[pl.DataFrame]) -> tuple[datetime, datetime]:
    """From the last beginning to the first end; the wrong way round where they never met."""
    entered = [side["entered_at"].to_list() for side in sides]
    return max(map(min, entered)), min(map(max, entered))


def recovery(results: dict[str, Result]) -> Headline:
    """Triggered against static against none."""
    estimates: list[Estimate] = []
    missing: list[str] = []
    none, static = results.get("holdout"), results.get("static")
    for result, words, why in ((none, "no email", NO_CONTROL), (static, "the static email", NO_STATIC)):
        lift = _converted(result)
        if lift is None:
            missing.append(f"against {words}: {_why(result, why)}")
            continue
        if not any(one.label == "bought, with triggered emails" for one in estimates):
            estimates.append(_rate("bought, with triggered emails", lift.effect.treated))
        estimates.append(_rate(f"bought, with {words}", lift.effect.control))
        estimates.append(_difference(f"triggered against {words}", lift.effect, lift.anytime))
    if (lift := _converted(none)) is not None:
        caused = _caused(lift)
        missing += (
            [] if caused else ["share caused by emails: not certain yet, the interval still holds zero"]
        )
        estimates += [caused] if caused else []
    # The difference is the number; a rate alone would be read as one.
    estimates.sort(key=lambda one: not one.signed)
    return Headline(
        "recovery",
        "Carts recovered because of an email",
        "Of the people who left a cart, how many more buy within the days that count when they get the triggered email, "
        "than when they get none, or the static one. All sides are drawn by chance at the same time, and everybody "
        "counts on the side they were drawn for.",
        tuple(estimates),
        tuple(missing),
    )


def frequency(emails: pl.DataFrame, people: pl.DataFrame, results: dict[str, Result]) -> Headline:
    """Emails per eligible person-week, never without what that does to purchases."""
    title = "Emails per person and week"
    definition = (
        "Emails that left within seven days of a person's first moment, everybody included who could have been mailed. "
        "Beside it the same log with an email for each of these moments, without caps and priorities; and what "
        "purchases gain or lose: the lower end is the worst to reckon with, since sending nothing would win on "
        "frequency alone."
    )
    scope = newest(people, "holdout", ("*", CART))
    if scope is None or emails.is_empty():
        return Headline("frequency", title, definition, (), (NO_CONTROL,))
    weeks = emails.filter((pl.col("experiment") == scope) & ~pl.col("is_control") & pl.col("is_settled"))
    if weeks.height < MIN_PEOPLE:
        why = f"too early: {MIN_PEOPLE} person-weeks are needed, {weeks.height} are over so far"
        return Headline("frequency", title, definition, (), (why,))
    sent, moments = (weeks[name].to_numpy().astype(float) for name in ("email_count", "moment_count"))
    estimates = [_mean("emails per person-week", arm(sent)), _mean("an email for each moment", arm(moments))]
    estimates += _fewer(sent, moments)
    bounds, missing = _non_inferiority(people, scope, results)
    return Headline("frequency", title, definition, (*estimates, *bounds), tuple(missing))


def _fewer(sent: np.ndarray, moments: np.ndarray) -> list[Estimate]:
    """The relative change, by linearisation: a ratio of two means over the same people."""
    if moments.mean() <= 0:
        return []
    ratio = float(sent.mean() / moments.mean())
    error = Z * float(np.sqrt(arm(sent - ratio * moments).variance)) / float(moments.mean())
    change = ratio - 1
    return [
        Estimate(
            "change against that",
            100 * change,
            100 * (change - error),
            100 * (change + error),
            "%",
            signed=True,
        )
    ]


def _non_inferiority(
    people: pl.DataFrame, scope: str, results: dict[str, Result]
) -> tuple[list[Estimate], list[str]]:
    """Against the static email where there is one, which is the question; against none in any case."""
    everybody = next((one for one in measure(people) if one.experiment == scope), None)
    found, missing = [], []
    for result, words, why in (
        (results.get("static"), "the static email", NO_STATIC),
        (everybody, "no email", NO_CONTROL),
    ):
        lift = _converted(result)
        if lift is None:
            missing.append(f"purchases against {words}: {_why(result, why)}")
        else:
            found.append(_difference(f"purchases against {words}", lift.effect, lift.anytime))
    return found, missing


def high_value(figures: Figures) -> Headline:
    """Carts above the highest limit of the tree, valued when they were left."""
    limit = _limit(figures["high_value"])
    title = "Large carts that are bought"
    definition = (
        f"Carts worth {limit:g} or more at the moment they were left, the highest limit in routes.csv: how many more of "
        "their people buy within the days that count than of those held out, per eligible cart, whatever reached them."
        if limit is not None
        else "Carts above the highest limit in routes.csv, valued at the moment they were left."
    )
    if limit is None:
        why = "not measurable: no branch of cart_abandonment in routes.csv says what a high value is"
        return Headline("high_value", title, definition, (), (why,))
    scope, carts = newest(figures["people"], "holdout", (CART,)), figures["carts"]
    if scope is None:
        return Headline("high_value", title, definition, (), (NO_CONTROL,))
    if carts.is_empty():
        return Headline("high_value", title, definition, (), ("too early: no cart has had its days yet",))
    large = carts.filter((pl.col("experiment") == scope) & (pl.col("cart_value") >= limit))
    unfair = _unfair(figures["people"], large)
    if unfair:
        return Headline("high_value", title, definition, (), (unfair,))
    return _of_carts(Headline("high_value", title, definition), large)


def _limit(found: pl.DataFrame) -> float | None:
    value = found["value"][0] if found.height else None
    return None if value is None else float(value)


def _unfair(people: pl.DataFrame, carts: pl.DataFrame) -> str:
    """Whether the people of these carts were alike: the same alarms as for everybody."""
    theirs = people.join(
        carts.select("experiment", "person_id").unique(), on=["experiment", "person_id"], how="semi"
    )
    ringing = [alarm.name for result in measure(theirs) for alarm in result.alarms if alarm.rings]
    return f"not measurable: the sides are not alike ({', '.join(ringing)})" if ringing else ""


def _of_carts(headline: Headline, carts: pl.DataFrame) -> Headline:
    treated, person = ~carts["is_control"].to_numpy().astype(bool), carts["person_id"].to_numpy().astype(str)
    try:
        bought = effect(carts["is_converted"].to_numpy().astype(float), treated, person)
        spent = effect(carts["revenue"].to_numpy().astype(float), treated, person)
    except NoControl:
        return _with(headline, [], [NO_CONTROL])
    if not bought.is_enough:
        so_far = f"{bought.treated.happened} and {bought.control.happened}"
        return _with(
            headline, [], [f"too early: {MIN_HAPPENED} buyers are needed on each side, {so_far} so far"]
        )
    width = half_width(bought.se, carts.height, PLANNED)
    estimates = [
        _difference("large carts bought, against no email", bought, width),
        _rate("bought, with triggered emails", bought.treated),
        _rate("bought, with no email", bought.control),
        *_relative(bought),
        Estimate(
            "revenue per cart",
            spent.lift,
            spent.lift - (wide := half_width(spent.se, carts.height, PLANNED)),
            spent.lift + wide,
            "",
            signed=True,
        ),
    ]
    if bought.lift > width:
        needed = [1 / bought.lift, 1 / (bought.lift + width), 1 / (bought.lift - width)]
        return _with(headline, [*estimates, Estimate("emails for one more purchase", *needed, unit="")], [])
    return _with(
        headline, estimates, ["emails for one more purchase: not certain yet, the interval still holds zero"]
    )


def _relative(found: Effect) -> list[Estimate]:
    interval = found.relative_interval
    if interval is None or found.relative is None:
        return []
    return [
        Estimate(
            "relative, at one look",
            100 * found.relative,
            100 * interval[0],
            100 * interval[1],
            "%",
            signed=True,
        )
    ]


def _converted(result: Result | None) -> Lift | None:
    return next((lift for lift in result.lifts if lift.outcome == "is_converted"), None) if result else None


def _why(result: Result | None, otherwise: str) -> str:
    return result.reason if result and result.reason else otherwise


def _rate(label: str, side: Arm) -> Estimate:
    error = Z * float(np.sqrt(side.variance))
    return Estimate(label, 100 * side.mean, 100 * max(side.mean - error, 0), 100 * min(side.mean + error, 1))


def _mean(label: str, side: Arm) -> Estimate:
    error = Z * float(np.sqrt(side.variance))
    return Estimate(label, side.mean, max(side.mean - error, 0), side.mean + error, "")


def _difference(label: str, found: Effect, width: float) -> Estimate:
    """In points, with the interval that holds at every look."""
    low, high = found.lift - width, found.lift + width
    return Estimate(label, 100 * found.lift, 100 * low, 100 * high, "pt", signed=True)


def _caused(lift: Lift) -> Estimate | None:
    """The share of what the mailed bought that would not have come anyway: 1 - 1 / (1 + relative lift)."""
    share, relative = lift.effect.incremental_share, lift.effect.relative_interval
    if share is None or relative is None or not lift.is_certain or lift.effect.lift <= 0:
        return None
    low, high = (100 * (1 - 1 / (1 + end)) for end in relative)
    return Estimate("share caused by emails, at one look", 100 * share, low, high)


def _with(headline: Headline, estimates: Iterable[Estimate], missing: Iterable[str]) -> Headline:
    return Headline(headline.key, headline.title, headline.definition, tuple(estimates), tuple(missing))


def in_words(estimate: Estimate) -> str:
    """+1.84 pt [+0.31, +3.37]"""
    sign = "+" if estimate.signed else ""
    unit = f" {estimate.unit}" if estimate.unit else ""
    return f"{estimate.value:{sign}.2f}{unit} [{estimate.low:{sign}.2f}, {estimate.high:{sign}.2f}]".replace(
        "-", "−"
    )


def as_metadata(found: Iterable[Headline]) -> dict[str, str]:
    """One line per headline, for the Dagster UI."""
    return {one.key: in_words(one.estimates[0]) if one.estimates else "; ".join(one.missing) for one in found}
