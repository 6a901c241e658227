"""Small versions of `make prove` and `make prove-loop`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.prove import cdnow, hillstrom, loop, open_bandit, shoppers, upworthy
from tests.prove.figures import Absent
from tests.system import DATA


@pytest.mark.parametrize("part", [hillstrom, open_bandit, shoppers, cdnow])
def test_published_figures_are_found_again(part):
    try:
        figures = part.prove(DATA, small=True)
    except Absent as absent:
        pytest.skip(str(absent))

    assert [figure for figure in figures if figure.holds is False] == []


def test_the_bandit_gets_more_than_a_test_that_is_decided_early():
    try:
        figures = upworthy.prove(DATA, small=True)
    except Absent as absent:
        pytest.skip(str(absent))

    more = [figure for figure in figures if figure.what.startswith("clicks against A/B")]
    assert len(more) == 2 and all(float(figure.measured.split(" ")[0]) > 0 for figure in more)


def test_a_part_without_its_data_says_so(tmp_path: Path):
    with pytest.raises(Absent, match=r"hillstrom\.csv\.gz is not here"):
        hillstrom.prove(tmp_path)


def test_holdout_caps_and_bandit_together_keep_their_promises():
    """A few dozen shops; `make prove-loop` asks a thousand."""
    world = loop.World()

    figures = loop.figures(
        loop.run(world, 40), loop.run(loop.World(works=False), 20, 10_001), loop.run(loop.World(learns=False), 20), world.cap
    )  # fmt: skip

    looked_at = (
        "false alarms",
        "confidence sequence",
        "fairness",
    )  # shares near 0 or 1, which fifty cannot tell
    assert [one for one in figures if one.holds is False and not one.what.startswith(looked_at)] == []


def test_a_replicate_is_the_same_every_time():
    one, two = (loop.judge(loop.World(), loop.live(loop.World(), 7)) for _ in range(2))

    assert one == two
