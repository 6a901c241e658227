"""Where lines, bands and bars lie. Only geometry: words and colours are the template's."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

# Narrow, so that letters stay readable when a phone shrinks the picture to its width.
WIDTH, HEIGHT = 352.0, 204.0
LEFT, RIGHT, TOP, BOTTOM = 34.0, 122.0, 12.0, 24.0
LETTERS = 13.0  # the least distance of two labels

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Tick:
    """A place on an axis, and what stands there."""

    at: float
    label: str


@dataclass(frozen=True)
class Line:
    """One series: its path, perhaps a band around it, and a label at its end. `css` is the colour's class."""

    label: str
    css: str
    path: str
    band: str
    end_x: float
    end_y: float
    label_y: float


@dataclass(frozen=True)
class Plot:
    """Lines on two axes, in the coordinates of the SVG."""

    lines: tuple[Line, ...]
    xticks: tuple[Tick, ...]
    yticks: tuple[Tick, ...]
    width: float = WIDTH
    height: float = HEIGHT
    left: float = LEFT
    right: float = WIDTH - RIGHT
    bottom: float = HEIGHT - BOTTOM


@dataclass(frozen=True)
class Series:
    """What is to be drawn; `low` and `high` have as many values as `points`, or none."""

    label: str
    css: str
    points: Points
    low: Sequence[float] = field(default=())
    high: Sequence[float] = field(default=())


def plot(
    series: Sequence[Series], xticks: Sequence[tuple[float, str]], most_x: float, unit: str = " %"
) -> Plot:
    """All on one scale from 0; labels at the ends of lines move apart where they would touch."""
    most_y = nice(max((max([y for _, y in one.points], default=0) for one in series), default=0))
    inner_x, inner_y = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    # A wide band of a small control would flatten everything, so that it is cut at the top.
    def place(x: float, y: float) -> tuple[float, float]:
        return LEFT + inner_x * x / (most_x or 1), HEIGHT - BOTTOM - inner_y * min(max(y, 0), most_y) / most_y

    ends = [place(*one.points[-1]) for one in series]
    labels = apart([y for _, y in ends], TOP, HEIGHT - BOTTOM)
    lines = [
        Line(
            one.label, one.css, path([place(*point) for point in one.points]), _band(one, place), *end, label
        )
        for one, end, label in zip(series, ends, labels, strict=True)
    ]
    return Plot(
        tuple(lines),
        tuple(Tick(place(x, 0)[0], label) for x, label in xticks),
        tuple(Tick(place(0, y)[1], f"{y:g}{unit}") for y in (0, most_y / 2, most_y)),
    )


def _band(one: Series, place: Callable[[float, float], tuple[float, float]]) -> str:
    if not one.low:
        return ""
    xs = [x for x, _ in one.points]
    there = [place(x, y) for x, y in zip(xs, one.high, strict=True)]
    back = [place(x, y) for x, y in zip(reversed(xs), reversed(one.low), strict=True)]
    return path([*there, *back]) + "Z"


def path(points: Points) -> str:
    """`M1 2L3 4`, to a tenth."""
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) if points else ""


def nice(most: float) -> float:
    """The next round number: 1, 2, 4 or 10 times a power of ten; 1 for nothing."""
    if most <= 0:
        return 1.0
    power = 1.0
    while power * 10 <= most:
        power *= 10
    while power > most:
        power /= 10
    return next(step * power for step in (1, 2, 4, 6, 10) if step * power >= most * 0.999)


def apart(places: Sequence[float], least: float, most: float) -> list[float]:
    """The same order, each at least LETTERS from the next, within the frame as far as there is room."""
    order = sorted(range(len(places)), key=lambda number: places[number])
    found = list(places)
    for before, number in itertools.pairwise(order):
        found[number] = max(found[number], found[before] + LETTERS)
    over = max((found[number] for number in order), default=most) - most
    if over > 0:
        for number in order:
            found[number] = found[number] - over
        for before, number in itertools.pairwise(order):
            found[number] = max(found[number], found[before] + LETTERS)
    return [max(place, least) for place in found]


@dataclass(frozen=True)
class Interval:
    """A row of a forest plot, in percent of the track."""

    label: str
    low: float
    width: float
    value: float
    said: str
    css: str
    note: str = ""


def forest(
    rows: Sequence[tuple[str, float, float, float, str, str]],
) -> tuple[list[Interval], float, list[Tick]]:
    """Rows of (label, value, low, high, said, note); returns them, where zero lies, and the ticks, in percent."""
    most = nice(max((max(abs(low), abs(high)) for _, _, low, high, _, _ in rows), default=1))

    def at(value: float) -> float:
        return round(50 + 50 * value / most, 2)

    found = [
        Interval(
            label, at(low), round(at(high) - at(low), 2), at(value), said,
            "better" if low > 0 else "worse" if high < 0 else "open", note,
        )
        for label, value, low, high, said, note in rows
    ]  # fmt: skip
    ticks = [Tick(at(value), f"{value:+g}".replace("-", "−") if value else "0") for value in (-most, 0, most)]
    return found, at(0), ticks
