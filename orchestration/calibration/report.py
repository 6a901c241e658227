"""A calibration as one HTML file that needs nothing else: for a phone, a desk, or an attachment."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path

from orchestration.calibration.calibrate import Calibration
from orchestration.calibration.chart import Series, bars, lines
from orchestration.calibration.hazard import Estimate

STYLE = Path(__file__).with_name("report.css")
COLOURS = ("one", "two", "three")


def html(found: Calibration) -> str:
    """The whole page."""
    title = f"{found.grid.trigger.replace('_', ' ')}: which threshold?"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE.read_text()}</style></head><body><main>"
        f"<h1>{escape(title)}</h1>{_lead(found)}{_verdict(found)}{_plots(found)}{_tables(found)}{_method(found)}"
        "</main></body></html>\n"
    )


def _lead(found: Calibration) -> str:
    seen = found.observed
    if seen.since is None or seen.until is None:
        return "<p class=lead>Nothing has landed yet.</p>"
    return (
        f"<p class=lead>{seen.visitors:,} visitors and {seen.orders:,} orders from {seen.since:%d %B %Y} "
        f"to {seen.until:%d %B %Y}.</p>"
    )


def _verdict(found: Calibration) -> str:
    if found.recommendation is None:
        return f'<section class="verdict thin"><h2>No recommendation</h2><p>{escape(found.refusal)}.</p></section>'
    chosen = found.recommendation.chosen
    low, high = chosen.interval
    tiles = [
        ("Recommended", written(found, chosen.value), "of silence"),
        ("In force", written(found, found.in_force), _share_in_force(found)),
        ("Buy anyway", f"{chosen.share:.0%}", f"{low:.0%} to {high:.0%}, tolerated {found.tolerance:.0%}"),
        ("Emails a week", f"{chosen.per_week:,.1f}", "at most, before caps"),
    ]
    cards = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd><small>{escape(note)}</small></div>"
        for name, value, note in tiles
    )
    return f'<section class="verdict"><dl>{cards}</dl></section>'


def _share_in_force(found: Calibration) -> str:
    now = next((cell for cell in found.cells_of(found.group) if cell.value == found.in_force), None)
    return f"{now.share:.0%} buy anyway" if now and now.moments else "not measured"


def _plots(found: Calibration) -> str:
    if not found.moments:
        return ""
    labels = [written(found, cell.value) for cell in found.cells_of(found.cells[0].group)]
    return (
        _figure(
            "How many buy anyway",
            f"Share with an order within {found.within.total_seconds() / 3600:g} hours and without an email; "
            "the shade is the 95 % interval.",
            lines(
                labels, _series(found, lambda cell: (cell.interval[0], cell.share, cell.interval[1])),
                (found.tolerance, f"tolerated {found.tolerance:.0%}") if found.grid.falls else None,
                _marks(found), "Share that buys anyway",
            ),
            found,
        )
        + _figure(
            "How many come back by themselves",
            "Share with any event in the same time.",
            lines(labels, _series(found, lambda cell: (cell.return_share,) * 3), None, (), "Share that returns"),
            found,
        )
        + _figure(
            "How many emails that means",
            "Moments a week, everybody counted; caps, consent and quiet hours make it fewer.",
            bars(labels, _series(found, lambda cell: (0, cell.per_week, 0)), "Moments a week"),
            found,
        )
    )  # fmt: skip


def _series(found: Calibration, point: Callable[[Estimate], tuple[float, ...]]) -> list[Series]:
    groups = list(dict.fromkeys(cell.group for cell in found.cells))
    return [
        Series(
            _group(group),
            COLOURS[number % len(COLOURS)],
            [point(cell) if cell.moments else None for cell in found.cells_of(group)],  # type: ignore[misc]
        )
        for number, group in enumerate(groups)
    ]


def _marks(found: Calibration) -> list[tuple[int, str, str]]:
    values = [cell.value for cell in found.cells_of(found.group)]
    marks = [(values.index(found.in_force), f"in force {written(found, found.in_force)}", "now")]
    if found.recommendation:
        value = found.recommendation.chosen.value
        marks.append((values.index(value), f"recommended {written(found, value)}", "chosen"))
    return marks


def _figure(title: str, note: str, drawing: str, found: Calibration) -> str:
    groups = list(dict.fromkeys(cell.group for cell in found.cells))
    legend = "".join(
        f'<span class="key {COLOURS[number % len(COLOURS)]}">{_group(group)}</span>'
        for number, group in enumerate(groups)
        if group is not None
    )
    return (
        f"<figure><figcaption><h2>{title}</h2><p>{note}</p><div class=legend>{legend}</div></figcaption>"
        f"{drawing}</figure>"
    )


def _group(group: float | None) -> str:
    return "all" if group is None else f"{group:g} or more items"


def _tables(found: Calibration) -> str:
    return "".join(
        f"<section><h2>{'Figures' if group is None else _group(group)}</h2>{_table(found, group)}</section>"
        for group in dict.fromkeys(cell.group for cell in found.cells)
    )


def _table(found: Calibration, group: float | None) -> str:
    chosen = found.recommendation.chosen if found.recommendation else None
    heads = (found.grid.unit, "buy anyway", "95 %", "return", found.grid.moment, "people", "a week")
    rows = "".join(
        f"<tr{' class=chosen' if cell == chosen else ''}>"
        + "".join(f"<td>{text}</td>" for text in _cells(found, cell))
        + "</tr>"
        for cell in found.cells_of(group)
    )
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    return f"<div class=scroll><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"


def _cells(found: Calibration, cell: Estimate) -> list[str]:
    low, high = cell.interval
    measured = (f"{cell.share:.1%}", f"{low:.1%} – {high:.1%}", f"{cell.return_share:.1%}")
    return [
        written(found, cell.value), *(measured if cell.moments else ("–",) * 3),
        f"{cell.moments:,}", f"{cell.audience:,}", f"{cell.per_week:,.1f}",
    ]  # fmt: skip


def _method(found: Calibration) -> str:
    return (
        "<section class=method><h2>How this was measured</h2><ul>"
        f"<li>A moment is a row of the trigger's own model trg_{found.grid.trigger}, "
        "run with every value in force at once; each cart or visit counts once.</li>"
        "<li>Bought anyway: an order of the same person, on any device, within "
        f"{found.within.total_seconds() / 3600:g} hours of the moment.</li>"
        "<li>Shares are of people we could not have mailed: before the shop's first email, or without address or "
        "consent at that moment. Moments too close to the end of the data are left out.</li>"
        "<li>The interval is Wilson's, 95 %. Recommended is the smallest value whose upper end is within the "
        "tolerance, unless a larger one contradicts it.</li>"
        "<li>It holds for people like those who were watched. Watch the share again after the change.</li>"
        "</ul></section>"
    )


def written(found: Calibration, value: float) -> str:
    """90 s, 5 min, 80 %, 3: as people say it."""
    if found.grid.column != "min_seconds":
        return f"{value:g} %" if "percent" in found.grid.column else f"{value:g}"
    return f"{value / 60:g} min" if value >= 120 and value % 60 == 0 else f"{value:g} s"
