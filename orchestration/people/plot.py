"""Members of each segment over time, small enough for an asset's metadata."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape

BLOCKS = "▁▂▃▄▅▆▇█"
COLOURS = ("#4e79a7", "#f28e2b", "#e15759", "#76b7b2", "#59a14f", "#b07aa1", "#9c755f", "#edc948")
WIDTH, HEIGHT, LEGEND = 480, 160, 18


def sparkline(values: Sequence[int]) -> str:
    """A line of blocks from 0 to the most."""
    most = max(values, default=0)
    return "".join(BLOCKS[(len(BLOCKS) - 1) * value // most if most else 0] for value in values)


def svg(members: Mapping[str, Sequence[int]]) -> str:
    """One line per segment, oldest day left, all on one scale from 0, with a legend."""
    most = max((max(values, default=0) for values in members.values()), default=0) or 1
    height = HEIGHT + LEGEND * len(members)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="sans-serif">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        f'<text x="4" y="12" font-size="11">{most}</text><text x="4" y="{HEIGHT - 4}" font-size="11">0</text>',
    ]
    for number, (name, values) in enumerate(members.items()):
        colour, y = COLOURS[number % len(COLOURS)], HEIGHT + LEGEND * number + 12
        last = values[-1] if values else 0
        parts.append(
            f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{_points(values, most)}"/>'
        )
        parts.append(f'<text x="8" y="{y}" font-size="12" fill="{colour}">{escape(name)}: {last}</text>')
    return "".join([*parts, "</svg>"])


def _points(values: Sequence[int], most: int) -> str:
    step = WIDTH / max(1, len(values) - 1)
    return " ".join(
        f"{step * day:.1f},{HEIGHT - 4 - (HEIGHT - 8) * value / most:.1f}" for day, value in enumerate(values)
    )


def as_markdown(members: Mapping[str, Sequence[int]]) -> str:
    """The picture as Markdown that needs no file beside it."""
    picture = base64.b64encode(svg(members).encode()).decode()
    return f"![members over time](data:image/svg+xml;base64,{picture})"
