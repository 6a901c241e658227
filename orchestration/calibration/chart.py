"""Lines with their intervals, and bars, as SVG that takes its colours from the page around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

# (width, height, room left and below for labels): one for desks, one for hands; CSS shows the one that fits.
WIDE, NARROW = (760, 320), (360, 280)
LEFT, RIGHT, TOP, BOTTOM = 44, 16, 14, 40


@dataclass(frozen=True)
class Series:
    """A named line; `points` are (low, value, high) per x, None where nothing was measured."""

    name: str
    colour: str
    points: Sequence[tuple[float, float, float] | None]


@dataclass(frozen=True)
class Axes:
    """Evenly spaced labels along x, 0 to `top` along y; `percent` says how y is written."""

    labels: Sequence[str]
    top: float
    size: tuple[int, int]
    percent: bool = True

    def x(self, index: int) -> float:
        width = self.size[0] - LEFT - RIGHT
        return LEFT + width * (index + 0.5) / max(1, len(self.labels))

    def y(self, value: float) -> float:
        height = self.size[1] - TOP - BOTTOM
        return TOP + height * (1 - min(1.0, value / self.top))

    def written(self, value: float) -> str:
        return f"{100 * value:.3g}%" if self.percent else f"{value:g}"


def lines(
    labels: Sequence[str],
    series: Sequence[Series],
    limit: tuple[float, str] | None = None,
    marks: Sequence[tuple[int, str, str]] = (),
    title: str = "",
) -> str:
    """Both sizes. `limit` is a dashed level and its name, `marks` are (x index, name, css class)."""  # fmt: skip
    highest = max((point[2] for one in series for point in one.points if point), default=1.0)
    top = max(0.1, _round_up(max(highest, limit[0] if limit else 0)))

    def drawn(axes: Axes) -> str:
        parts = [_mark(axes, *mark) for mark in marks]
        parts += [_band(axes, one) for one in series] + [_line(axes, one) for one in series]
        return "".join([_limit(axes, *limit) if limit else "", *parts])

    return _both(labels, top, True, title, drawn)


def bars(labels: Sequence[str], series: Sequence[Series], title: str = "") -> str:
    """Both sizes; of each point only the value counts."""
    highest = max((point[1] for one in series for point in one.points if point), default=1.0)

    def drawn(axes: Axes) -> str:
        return "".join(_bars(axes, one, number, len(series)) for number, one in enumerate(series))

    return _both(labels, _round_up(highest) or 1.0, False, title, drawn)


def _both(labels, top, percent, title, drawn) -> str:  # type: ignore[no-untyped-def]
    found = []
    for name, size in (("wide", WIDE), ("narrow", NARROW)):
        axes = Axes(labels, top, size, percent)
        found.append(
            f'<svg class="{name}" viewBox="0 0 {size[0]} {size[1]}" role="img" aria-label="{escape(title)}">'
            f"{_grid(axes)}{drawn(axes)}</svg>"
        )
    return "".join(found)


def _grid(axes: Axes) -> str:
    parts = []
    for step in range(5):
        value = axes.top * step / 4
        y = axes.y(value)
        parts.append(
            f'<line class="grid" x1="{LEFT}" x2="{axes.size[0] - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="tick" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{axes.written(value)}</text>'
        )
    # So that labels never touch: on a phone every other one.
    every = -(-len(axes.labels) * 52 // (axes.size[0] - LEFT - RIGHT))
    for index, label in enumerate(axes.labels):
        if index % every == 0:
            parts.append(
                f'<text class="tick" x="{axes.x(index):.1f}" y="{axes.size[1] - BOTTOM + 20}" '
                f'text-anchor="middle">{escape(label)}</text>'
            )
    return "".join(parts)


def _limit(axes: Axes, value: float, name: str) -> str:
    y = axes.y(value)
    return (
        f'<line class="limit" x1="{LEFT}" x2="{axes.size[0] - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text class="limit-name" x="{axes.size[0] - RIGHT}" y="{y - 6:.1f}" text-anchor="end">{escape(name)}</text>'
    )


def _mark(axes: Axes, index: int, name: str, css: str) -> str:
    x = axes.x(index)
    # The name of what is in force stands left of its line, where there is room, out of the way of the other's.
    is_left = x > LEFT + 90 if css == "now" else index > len(axes.labels) / 2
    anchor, shift = ("end", -6) if is_left else ("start", 6)
    y = TOP + (10 if css == "chosen" else 26)
    return (
        f'<line class="mark {css}" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{axes.size[1] - BOTTOM}"/>'
        f'<text class="mark-name {css}" x="{x + shift:.1f}" y="{y}" text-anchor="{anchor}">{escape(name)}</text>'
    )


def _band(axes: Axes, one: Series) -> str:
    known = [(index, point) for index, point in enumerate(one.points) if point]
    upper = [f"{axes.x(index):.1f},{axes.y(point[2]):.1f}" for index, point in known]
    lower = [f"{axes.x(index):.1f},{axes.y(point[0]):.1f}" for index, point in reversed(known)]
    return f'<polygon class="band {one.colour}" points="{" ".join(upper + lower)}"/>' if known else ""


def _line(axes: Axes, one: Series) -> str:
    known = [(axes.x(index), axes.y(point[1]), point[1]) for index, point in enumerate(one.points) if point]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in known)
    dots = "".join(
        f'<circle class="dot {one.colour}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"><title>{escape(one.name)}: '
        f"{axes.written(value)}</title></circle>"
        for x, y, value in known
    )
    return f'<polyline class="line {one.colour}" points="{points}"/>{dots}'


def _bars(axes: Axes, one: Series, number: int, count: int) -> str:
    room = (axes.size[0] - LEFT - RIGHT) / max(1, len(axes.labels)) * 0.7
    width = room / count
    parts = []
    for index, point in enumerate(one.points):
        if point:
            x, y = axes.x(index) - room / 2 + width * number, axes.y(point[1])
            parts.append(
                f'<rect class="bar {one.colour}" x="{x:.1f}" y="{y:.1f}" width="{width - 1:.1f}" '
                f'height="{axes.y(0) - y:.1f}" rx="2"><title>{escape(one.name)}: {point[1]:.1f}</title></rect>'
            )
    return "".join(parts)


def _round_up(value: float) -> float:
    """To a number whose quarters read well: 1, 2, 4 or 8 times a power of ten."""
    if value <= 0:
        return 0.0
    power = 10.0 ** (len(f"{int(value)}") - 1) if value >= 1 else 0.1
    while power > value:
        power /= 10
    return next(step * power for step in (1, 2, 4, 6, 8, 10) if step * power >= value - 1e-12)
