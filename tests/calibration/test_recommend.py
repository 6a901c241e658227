"""The rule, what it refuses, and the patch that a person reviews."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
from datetime import datetime
from pathlib import Path

import pytest

from orchestration.calibration.calibrate import WITHIN, Calibration, default_tolerance
from orchestration.calibration.grids import GRIDS
from orchestration.calibration.hazard import Estimate, Observed, wilson
from orchestration.calibration.recommend import TooThin, recommend
from orchestration.calibration.report import html
from orchestration.calibration.seed_patch import NoSuchRow, changed, unified_diff
from orchestration.settings import ROOT

GRID = GRIDS["cart_abandonment"]
SEEDS = ROOT / "dbt_project" / "seeds"
SEEN = Observed(datetime(2026, 1, 5), datetime(2026, 2, 2), 900, 200)


def cell(silence: float, moments: int, bought: int, group: float = 2) -> Estimate:
    return Estimate(group, silence, moments, bought, bought, moments, moments / 4)


FALLING = [cell(90, 600, 270), cell(300, 500, 150), cell(900, 400, 60), cell(1800, 350, 20)]


def test_wilson_is_the_published_interval():
    """8 of 10: 0.490 to 0.943 (Wilson 1927, as in most textbooks); without trials nothing is known."""
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(("tolerance", "silence"), [(0.5, 90), (0.35, 300), (0.25, 900), (0.10, 1800)])
def test_the_smallest_silence_whose_upper_bound_is_tolerated(tolerance: float, silence: float):
    assert recommend(GRID, FALLING, 2, tolerance, SEEN, 2).chosen.value == silence


def test_a_lucky_silence_before_a_worse_one_is_not_taken():
    cells = [cell(90, 600, 60), cell(300, 500, 150), cell(900, 400, 20)]

    assert recommend(GRID, cells, 2, 0.2, SEEN, 2).chosen.value == 900


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ([cell(90, 0, 0)], "have no moment of cart_abandonment"),
        ([cell(90, 99, 0)], "only 99 carts lay still for 90 s, 100 are needed"),
        ([cell(90, 600, 270), cell(300, 500, 150)], "no silence up to 300 s"),
        ([cell(90, 100, 60), cell(900, 9, 0)], "no silence up to 900 s"),
        ([cell(90, 600, 0, group=1)], "item count was not tried"),
    ],
)  # fmt: skip
def test_what_is_too_thin_is_refused_and_says_why(cells: list[Estimate], message: str):
    with pytest.raises(TooThin, match=message):
        recommend(GRID, cells, 2, 0.25, SEEN, 2)


def test_a_trigger_whose_number_keeps_no_buyers_out_gets_no_recommendation():
    with pytest.raises(TooThin, match="chooses how many emails go out"):
        recommend(GRIDS["time_on_page"], FALLING, None, 0.25, SEEN, 2)


def test_a_coupon_makes_it_stricter(tmp_path: Path):
    shutil.copytree(SEEDS, tmp_path, dirs_exist_ok=True)
    assert default_tolerance(tmp_path, "cart_abandonment") == 0.25
    coupon = next(csv.DictReader(io.StringIO((SEEDS / "offers.csv").read_text())))["offer"]
    routes = tmp_path / "routes.csv"
    routes.write_text(routes.read_text().replace("live_demo", coupon))

    assert default_tolerance(tmp_path, "cart_abandonment") == 0.10


def test_the_patch_changes_one_row_and_git_takes_it(tmp_path: Path):
    text = (SEEDS / "thresholds.csv").read_text()
    reason = recommend(GRID, FALLING, 2, 0.25, SEEN, 2).reason
    after = changed(text, "cart_abandonment", {"min_seconds": "900", "reason": reason})
    (tmp_path / "dbt_project" / "seeds").mkdir(parents=True)
    file = tmp_path / "dbt_project" / "seeds" / "thresholds.csv"
    file.write_text(text)

    patch = unified_diff(text, after, "dbt_project/seeds/thresholds.csv")
    subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=patch, text=True, check=True)

    assert file.read_text() == after
    old, new = (list(csv.DictReader(io.StringIO(version))) for version in (text, after))
    assert old[1:] == new[1:]
    assert new[0] == {**old[0], "min_seconds": "900", "reason": reason}
    assert "15.0% were bought without an email" in reason


def test_a_seed_without_the_row_is_refused():
    with pytest.raises(NoSuchRow, match="0 rows for cart_abandonment"):
        changed("trigger_name,min_seconds,reason\n", "cart_abandonment", {})


def test_the_report_needs_nothing_from_elsewhere():
    found = recommend(GRID, FALLING, 2, 0.25, SEEN, 2)

    page = html(Calibration(GRID, FALLING, SEEN, 2, 90.0, 0.25, WITHIN, found))

    assert "recommended 15 min" in page and "in force 90 s" in page
    assert "http" not in page and "<script" not in page
