"""The report as one page: what to look at, and a table behind each picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import jinja2
import markupsafe
import numpy as np
import polars as pl

from orchestration.durable import replaced
from orchestration.learning.effects import MIN_HAPPENED, Z, arm
from orchestration.learning.experiments import Result, measure
from orchestration.outcomes import shapes
from orchestration.outcomes.figures import Figures
from orchestration.outcomes.headlines import CART, Headline, headlines, newest

TEMPLATE = "report.html.j2"
SLOTS = 4  # emails whose variants are drawn; the table has all
RULES = {
    "is_reachable": "no address known",
    "has_consent": "no consent",
    "is_not_suppressed": "unsubscribed, complained or bounced",
    "has_not_purchased": "bought meanwhile",
    "is_timely": "the event came too late",
    "is_most_telling": "a more telling moment ripens",
    "is_not_too_soon": "mailed within the last day",
    "is_within_weekly_cap": "weekly cap reached",
    "has_something_to_offer": "sold out or without a price",
    "is_not_held_out": "held out to compare",
}
STAGES = {
    "read": "read from the log",
    "decided": "decided by the models",
    "recorded": "recorded in the ledger",
    "gated": "passed the gate",
    "rendered": "rendered",
    "dot": "intent committed, sent",
    "accepted": "accepted by the mail server",
}


@dataclass(frozen=True)
class Table:
    """What stands behind a picture."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Bar:
    """A bar; `start` and `width` in percent of the track, `aside` after the number."""

    label: str
    width: float
    said: str
    aside: str = ""
    start: float = 0.0


@dataclass(frozen=True)
class Section:
    """One picture; without anything to draw, `empty` says what is missing and what to do."""

    key: str
    title: str
    lead: str = ""
    empty: str = ""
    bars: tuple[Bar, ...] = ()
    plots: tuple[tuple[str, shapes.Plot], ...] = ()
    forest: tuple[shapes.Interval, ...] = ()
    zero: float = 50.0
    ticks: tuple[shapes.Tick, ...] = ()
    marks: tuple[tuple[str, str], ...] = ()
    tables: tuple[Table, ...] = field(default=())


def write_report(figures: Figures, now: datetime, out: Path) -> list[Headline]:
    """Replace `out` at once, so that anybody may have it open meanwhile; returns the headlines. `now` is aware."""
    found = headlines(figures)
    with replaced(out) as scratch:
        scratch.write_text(render(figures, found, now))
    return found


def render(figures: Figures, found: Sequence[Headline], now: datetime) -> str:
    """The page; everything that comes from data is escaped by the template."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["coded"] = _coded
    return environment.get_template(TEMPLATE).render(
        headlines=found,
        sections=sections(figures),
        span=_span(figures["span"]),
        now=now,
        problem=figures.problem,
    )


def _coded(text: str) -> markupsafe.Markup:
    """Escaped, with `names` as code."""
    parts = str(markupsafe.escape(text)).split("`")
    return markupsafe.Markup(
        "".join(f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts))
    )


def sections(figures: Figures) -> list[Section]:
    """In the order of the page."""
    return [
        funnel(figures["funnel"]),
        recovery_curve(figures["hours"], figures["people"]),
        incrementality(measure(figures["people"]) if figures["people"].height else []),
        arms(figures["arms"]),
        deliverability(figures["deliverability"]),
        latency(figures),
        refusals(figures["refusals"]),
    ]


def number(value: float) -> str:
    """12 345, with thin spaces."""
    return f"{value:,.0f}".replace(",", "\u2009")


def _percent(value: float) -> str:
    """With a space that does not break."""
    digits = 2 if 0 < value < 1 else 1 if value < 10 else 0
    return f"{value:.{digits}f}\u00a0%"


def _span(span: pl.DataFrame) -> str:
    if span.is_empty() or span["since"][0] is None:
        return ""
    return f"{span['since'][0]:%-d %B %Y} to {span['until'][0]:%-d %B %Y}"


def funnel(counts: pl.DataFrame) -> Section:
    """From moments to purchases; each share is of the step before."""
    names = {
        "moments": "moments", "decided": "meant to be mailed", "sent": "sent", "delivered": "not bounced",
        "opened": "opened by people", "clicked": "clicked by people", "bought": "bought afterwards",
    }  # fmt: skip
    section = Section("funnel", "From a moment to a purchase")
    if counts.is_empty() or not counts["moments"][0]:
        return _empty(
            section, "No moment has ripened yet. Send events to the collector, or try `kairos demo`."
        )
    values = {name: int(counts[name][0] or 0) for name in names}
    base = {"opened": "delivered", "clicked": "delivered", "bought": "sent"}
    order = list(names)
    bars = []
    for place, name in enumerate(order):
        of = base.get(name) or (order[place - 1] if place else "")
        share = f"{_percent(100 * values[name] / values[of])} of {names[of]}" if of and values[of] else ""
        bars.append(Bar(names[name], 100 * values[name] / max(values.values()), number(values[name]), share))
    lead = (
        "Opens count people only as far as can be told, and many mail programs hide them. "
        "Those who bought afterwards include everybody who would have bought anyway."
    )
    return Section(
        section.key, section.title, lead, bars=tuple(bars),
        tables=(Table(("step", "count", "share"), tuple((bar.label, bar.said, bar.aside) for bar in bars)),),
    )  # fmt: skip


def recovery_curve(hours: pl.DataFrame, entered: pl.DataFrame) -> Section:
    """The share that has bought, by hours since the first moment, with pointwise 95 % bands."""
    section = Section("curve", "How soon they come back")
    chosen = newest(entered, "holdout", (CART, "*"))
    people = hours.filter(pl.col("experiment") == chosen) if hours.height else hours
    if people.is_empty():
        return _empty(
            section,
            "Nobody's days are over yet, or nobody is held out. "
            "A row of kind holdout in experiments.csv gives the grey line to compare with.",
        )
    last = 24.0 * max(1, math.ceil(float(people["hours"].max() or 0) / 24))  # type: ignore[arg-type]
    grid = np.unique(np.concatenate([np.linspace(0, 24, 25), np.linspace(24, last, 49)]))
    series, columns = [], []
    for label, css, control in (("held out", "control", True), ("mailed", "accent", False)):
        side = people.filter(pl.col("is_control") == control)["hours"].fill_null(np.inf).to_numpy()
        if len(side) < MIN_HAPPENED:
            continue
        sides = [arm((side <= hour).astype(float)) for hour in grid]
        means, errors = (np.array([getattr(one, name) for one in sides]) for name in ("mean", "variance"))
        errors = Z * np.sqrt(errors)
        points = [(float(hour), float(100 * mean)) for hour, mean in zip(grid, means, strict=True)]
        low, high = (list(100 * (means + sign * errors)) for sign in (-1, 1))
        series.append(shapes.Series(f"{label} {100 * means[-1]:.1f} %", css, points, low, high))
        columns.append((label, means, errors))
    if not series:
        return _empty(
            section, f"Too few people yet: {MIN_HAPPENED} whose days are over are needed to draw a line."
        )
    days = [(float(hour), f"{hour // 24:.0f} d" if hour else "0") for hour in range(0, int(last) + 1, 24)]
    rows = [
        (
            f"{hour:.0f} h",
            *(f"{100 * means[place]:.1f} % ± {100 * errors[place]:.1f}" for _, means, errors in columns),
        )
        for place, hour in enumerate(grid)
        if hour % 12 == 0 or place == len(grid) - 1
    ]
    drawn = shapes.plot(series, days if len(days) <= 9 else days[:: len(days) // 7], last)
    return Section(
        section.key, section.title,
        "The share that has bought, by time since the first moment. The distance between the lines is the emails' doing; "
        "the shading is chance, at 95 %.",
        plots=((f"Experiment {chosen}", drawn),),
        tables=(Table(("since the moment", *(label for label, _, _ in columns)), tuple(rows)),),
    )  # fmt: skip


def incrementality(results: Sequence[Result]) -> Section:
    """A forest plot of lifts, with the intervals that hold at every look."""
    section = Section("lifts", "What emails add")
    if not results:
        return _empty(
            section,
            "Nobody has taken part in an experiment yet. experiments.csv says who is held out, 5 % by default.",
        )
    drawn, waiting, table = [], [], []
    for result in results:
        sides = f"{number(result.treated)} mailed, {number(result.control)} held out"
        if not result.lifts:
            waiting.append((result.experiment, f"{result.reason} ({sides})"))
            table.append((result.experiment, sides, result.reason))
            continue
        lift = result.lifts[0]
        value, low, high = (100 * end for end in (
            lift.effect.lift, lift.effect.lift - lift.anytime, lift.effect.lift + lift.anytime
        ))  # fmt: skip
        said = f"{value:+.1f} pt [{low:+.1f}, {high:+.1f}]".replace("-", "−")
        drawn.append((result.experiment, value, low, high, said, sides))
        table.append((result.experiment, sides, said))
    rows, zero, ticks = shapes.forest(drawn)
    return Section(
        section.key, section.title,
        "Percentage points of people who buy, mailed against held out. The intervals hold however often you look; "
        "one that leaves zero is certain.",
        forest=tuple(rows), zero=zero, ticks=tuple(ticks) if drawn else (), marks=tuple(waiting),
        tables=(Table(("experiment", "people", "lift"), tuple(table)),),
    )  # fmt: skip


def arms(found: pl.DataFrame) -> Section:
    """The share of sends per variant and week, for the emails with most of them."""
    section = Section("arms", "Which words are sent")
    many = (
        found.group_by("slot").agg(pl.col("arm").n_unique().alias("arms"), pl.col("sent_count").sum().alias("sent"))
        .filter(pl.col("arms") > 1).sort(["sent", "slot"], descending=[True, False])
        if found.height else found
    )  # fmt: skip
    if many.is_empty():
        return _empty(
            section,
            "No email with two subjects has left yet. Add another letter in variants.csv to learn one.",
        )
    plots = tuple(
        (slot, _shares(found.filter(pl.col("slot") == slot))) for slot in many["slot"].to_list()[:SLOTS]
    )
    rows = [
        (row["slot"], row["arm"], f"{row['sent_week']:%Y-%m-%d}", number(row["sent_count"]), _rewarded(row))
        for row in found.iter_rows(named=True)
    ]
    return Section(
        section.key, section.title,
        "The share of each subject in the emails of a week. Beside its letter: how many of its settled emails were "
        "clicked by a person or followed by a purchase, which says which words to write, not what emails bring.",
        plots=plots, tables=(Table(("email", "subject", "week", "sent", "rewarded"), tuple(rows)),),
    )  # fmt: skip


def _shares(slot: pl.DataFrame) -> shapes.Plot:
    weeks = slot["sent_week"].unique().sort().to_list()
    totals = dict(slot.group_by("sent_week").agg(pl.col("sent_count").sum()).iter_rows())
    series = []
    for place, name in enumerate(slot["arm"].unique().sort().to_list()):
        counts = dict(slot.filter(pl.col("arm") == name).select("sent_week", "sent_count").iter_rows())
        points = [(float(at), 100 * counts.get(week, 0) / totals[week]) for at, week in enumerate(weeks)]
        if len(points) == 1:
            points.append((1.0, points[0][1]))
        mine = slot.filter(pl.col("arm") == name)
        settled = int(mine["settled_count"].sum())
        rate = f" · {_percent(100 * int(mine['reward_count'].sum()) / settled)}" if settled else ""
        series.append(shapes.Series(f"{name}{rate}", f"c{place % 6}", points))
    step = max(1, len(weeks) // 4)
    ticks = [(float(at), f"{week:%-d %b}") for at, week in enumerate(weeks) if at % step == 0]
    return shapes.plot(series, ticks, max(1, len(weeks) - 1))


def _rewarded(row: dict[str, Any]) -> str:
    return f"{number(row['reward_count'])} of {number(row['settled_count'])}"


def deliverability(weeks: pl.DataFrame) -> Section:
    """Bounces, complaints and unsubscribes as shares of what was sent in the week."""
    section = Section("deliverability", "Do they arrive, are they welcome?")
    if weeks.is_empty() or not weeks["sent"].sum():
        return _empty(
            section,
            "No email has left yet. Bounces and complaints come by provider webhooks or `kairos bounces collect`.",
        )
    sent = [float(value) for value in weeks["sent"]]
    series = [
        shapes.Series(
            f"{name} {_percent(100 * float(weeks[name].sum()) / sum(sent))}", css,
            _at_least_two([(float(at), 100 * float(value) / of if of else 0.0)
                           for at, (value, of) in enumerate(zip(weeks[name], sent, strict=True))]),
        )
        for name, css in (("bounced", "c1"), ("unsubscribed", "c2"), ("complained", "c3"))
    ]  # fmt: skip
    days = weeks["told_week"].to_list()
    step = max(1, len(days) // 4)
    ticks = [(float(at), f"{day:%-d %b}") for at, day in enumerate(days) if at % step == 0]
    rows = [
        (f"{row['told_week']:%Y-%m-%d}", *(number(row[name]) for name in ("sent", "bounced", "complained", "unsubscribed")))
        for row in weeks.iter_rows(named=True)
    ]  # fmt: skip
    return Section(
        section.key, section.title,
        f"{number(sum(sent))} emails left. Shares of the emails of a week; mailbox providers begin to mind at 0.1\u00a0% of "
        "complaints, and refuse at 0.3\u00a0%.",
        plots=(("Share of sent emails per week", shapes.plot(series, ticks, max(1, len(days) - 1))),),
        tables=(Table(("week", "sent", "bounced or refused", "complained", "unsubscribed"), tuple(rows)),),
    )  # fmt: skip


def _at_least_two(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    return points if len(points) > 1 else [*points, (1.0, points[0][1])]


def latency(figures: Figures) -> Section:
    """From the moment to the mail server's acceptance, and what the median email spends where."""
    section = Section("latency", "How fast")
    found = figures["latency"]
    if found.is_empty() or not found["sent"][0]:
        return _empty(section, "No email has left yet, so nothing could be timed.")
    marks = tuple((name, _duration(float(found[name][0]))) for name in ("p50", "p95", "p99"))
    # Clocks that are set back, and simulated ones, make stages shorter than nothing.
    stages = {name: max(ms, 0.0) for name, ms in figures.ledger.waterfall.items()}
    total = sum(stages.values()) or 1.0
    bars, start = [], 0.0
    for name, ms in stages.items():
        bars.append(Bar(STAGES.get(name, name), 100 * ms / total, _duration(ms), start=100 * start / total))
        start += ms
    rows = (*marks, *((bar.label, bar.said) for bar in bars))
    return Section(
        section.key, section.title,
        f"From the instant a moment is complete until the mail server has accepted the email, {number(found['sent'][0])} "
        "emails." + (" Below, where the median email spends it." if bars else ""),
        bars=tuple(bars), marks=marks, tables=(Table(("", "time"), rows),),
    )  # fmt: skip


def _duration(ms: float) -> str:
    if ms < 10:
        return f"{ms:.1f} ms"
    if ms < 1000:
        return f"{ms:.0f} ms"
    return f"{ms / 1000:.1f} s" if ms < 120_000 else f"{ms / 60_000:.0f} min"


def refusals(found: pl.DataFrame) -> Section:
    """How often each rule said no; a moment can be refused by several."""
    section = Section("refusals", "Why not")
    counts = [(str(rule), int(count)) for rule, count in found.iter_rows()] if found.height else []
    counts = sorted(((rule, count) for rule, count in counts if count), key=lambda one: (-one[1], one[0]))
    if not counts:
        return _empty(section, "No rule has refused anything yet.")
    most = counts[0][1]
    bars = tuple(
        Bar(RULES.get(rule, rule), 100 * count / most, number(count), rule) for rule, count in counts
    )
    return Section(
        section.key, section.title, "Moments that no email followed, by the rule that said no. One moment can meet several; "
        "`kairos why` tells a single one's story.",
        bars=bars, tables=(Table(("rule", "column", "moments"), tuple((bar.label, bar.aside, bar.said) for bar in bars)),),
    )  # fmt: skip


def _empty(section: Section, why: str) -> Section:
    return Section(section.key, section.title, empty=why)
