"""The report: numbers as computed by hand, nothing loaded from anywhere, and no name that becomes markup."""

from __future__ import annotations

import dataclasses
import itertools
import re
import subprocess
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import dagster as dg
import duckdb
import polars as pl
import pytest
from typer.testing import CliRunner

from orchestration.cli.app import app
from orchestration.cli.screenshots import browser
from orchestration.learning.experiments import measure
from orchestration.outcomes.figures import QUESTIONS, Figures, read_figures
from orchestration.outcomes.headlines import Headline, concurrent, headlines
from orchestration.outcomes.page import render, write_report
from orchestration.outcomes.shapes import apart, nice
from orchestration.overview import Overview
from tests.orchestration.outcome_shop import open_shop

NOW = datetime(2026, 5, 15, 6, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>\"'><img src=https://evil.example/x onerror=alert(2)>"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Figures:
    """20 % buy anyway; the static email adds 2 points, the triggered one 6."""
    folder = tmp_path_factory.mktemp("shop")
    found = read_figures(open_shop(folder / "warehouse.duckdb"), folder / "ledger.sqlite")
    assert found.problem == ""
    return found


def headline(figures: Figures, key: str) -> Headline:
    return next(one for one in headlines(figures) if one.key == key)


def estimate(found: Headline, label: str) -> tuple[float, float, float]:
    one = next(one for one in found.estimates if one.label == label)
    return one.value, one.low, one.high


def with_frame(figures: Figures, **frames: pl.DataFrame) -> Figures:
    return dataclasses.replace(figures, frames={**figures.frames, **frames})


def people(experiment: str, kind: str, sides: list[tuple[bool, int, int]]) -> pl.DataFrame:
    """As many people as said, of whom so many bought, per side (is control, people, buyers)."""
    rows = [
        {
            "experiment": experiment, "kind": kind, "trigger_name": "cart_abandonment", "share": 0.5,
            "person_id": f"{is_control}{n}", "is_control": is_control,
            "entered_at": datetime(2026, 3, 2) + timedelta(seconds=n), "segment": "none", "country": "DE",
            "earlier_order_count": 0, "is_converted": n < bought, "revenue": float(n < bought), "is_settled": True,
        }
        for is_control, count, bought in sides
        for n in range(count)
    ]  # fmt: skip
    return pl.DataFrame(rows)


# -- the three numbers


def test_recovery_is_the_difference_of_two_drawn_sides():
    """400 of 1,000 against 300 of 1,000, by hand: 10 points, ± 1.96 * sqrt(.4*.6/999 + .3*.7/999); a quarter caused."""
    found = headline(
        Figures({"people": people("e", "holdout", [(False, 1000, 400), (True, 1000, 300)])}), "recovery"
    )

    value, low, high = estimate(found, "triggered against no email")
    share, least, most = estimate(found, "share caused by emails, at one look")
    rate = estimate(found, "bought, with triggered emails")

    assert value == pytest.approx(10) and low < 10 - 4.16 and high > 10 + 4.16
    assert rate == pytest.approx((40, 40 - 3.0379, 40 + 3.0379), abs=0.001)
    # ln(4/3) = .28768, its error sqrt(.24/999/.16 + .21/999/.09) = .061945: 1 - exp(-.16627) and 1 - exp(-.40909)
    assert (share, least, most) == pytest.approx((25, 15.32, 33.57), abs=0.01)
    assert any("against the static email: not measurable" in why for why in found.missing)


def test_the_first_figure_is_never_a_rate_alone(shop: Figures):
    assert headline(shop, "recovery").estimates[0].label == "triggered against no email"


def test_three_arms_are_found_as_they_are(shop: Figures):
    found = headline(shop, "recovery")

    for label, truth in (("triggered against no email", 6), ("triggered against the static email", 4)):
        value, low, high = estimate(found, label)
        assert low < truth < high and value == pytest.approx(truth, abs=1.5)


def test_only_people_of_the_same_time_are_compared():
    """The static arm ran for the first 500 seconds of the holdout's thousand."""
    none = people("none", "holdout", [(False, 1000, 400), (True, 1000, 300)])
    static = people("static", "static", [(False, 500, 200), (True, 500, 150)])

    found = concurrent(pl.concat([none, static]))

    assert found["holdout"].treated == found["static"].treated == 500


def test_a_share_that_was_changed_counts_from_then_on():
    """The row that ended and the one that took its place are two experiments; a static arm of before is not compared."""
    before = people("a_before", "holdout", [(False, 1000, 400), (True, 1000, 100)])
    static = people("static", "static", [(False, 1000, 400), (True, 1000, 100)])
    after = people("after", "holdout", [(False, 600, 240), (True, 600, 180)]).with_columns(
        pl.col("entered_at") + timedelta(days=1)
    )

    found = concurrent(pl.concat([before, after, static]))

    assert set(found) == {"holdout"} and found["holdout"].treated == 600


def test_without_a_control_nothing_is_measurable(shop: Figures):
    mailed = Figures(
        {name: shop[name].filter(~pl.col("is_control")) if "is_control" in shop[name].columns else shop[name]
         for name in shop.frames}
    )  # fmt: skip

    found = {one.key: one for one in headlines(mailed)}

    assert found["recovery"].estimates == found["high_value"].estimates == ()
    assert all("not measurable" in " ".join(one.missing) for one in found.values())


def test_an_alarm_silences_the_number():
    """1,000 against 700 where half and half was planned."""
    found = headline(
        Figures({"people": people("e", "holdout", [(False, 1000, 400), (True, 700, 200)])}), "recovery"
    )

    assert found.estimates == () and "not alike" in found.missing[0]


def test_emails_are_counted_per_person_week_beside_what_purchases_lose():
    """Half got one email and had two moments, half had one each: 1 against 1.5, a third less."""
    weeks = pl.DataFrame(
        {
            "experiment": "e", "person_id": f"p{n}", "is_control": n >= 1000, "is_settled": True,
            "email_count": 1, "moment_count": 1 + n % 2,
        }
        for n in range(2000)
    )  # fmt: skip
    drawn = people("e", "holdout", [(False, 1000, 400), (True, 1000, 300)])

    found = headline(Figures({"people": drawn, "emails": weeks}), "frequency")

    assert estimate(found, "emails per person-week") == (1, 1, 1)
    value, _low, high = estimate(found, "change against that")
    assert value == pytest.approx(-100 / 3) and high - value == pytest.approx(
        1.96 * 100 * (1 / 3) / 1000**0.5 / 1.5, rel=0.01
    )
    assert estimate(found, "purchases against no email")[0] == pytest.approx(10)
    assert any("against the static email" in why for why in found.missing)


def test_large_carts_are_those_above_the_limit_when_they_were_left(shop: Figures):
    found = headline(shop, "high_value")
    value, low, high = estimate(found, "large carts bought, against no email")
    none = with_frame(shop, high_value=pl.DataFrame({"value": [None]}))

    assert low < 6 < high and value == pytest.approx(6, abs=2)
    assert "worth 100 or more" in found.definition
    needed = estimate(found, "emails for one more purchase")
    assert needed[0] == pytest.approx(100 / value) and needed[1] < needed[0] < needed[2]
    assert headline(none, "high_value").missing[0].startswith("not measurable: no branch")


def test_small_carts_do_not_count_as_large():
    """Large ones: 400 of 1,000 against 300; of the small ones, 600 against 700."""
    drawn = people("e", "holdout", [(False, 1000, 400), (True, 1000, 300)])
    large = drawn.with_columns(pl.lit(100.0).alias("cart_value"))
    small = drawn.with_columns(
        pl.lit(99.99).alias("cart_value"), (~pl.col("is_converted")).alias("is_converted")
    )
    figures = Figures(
        {"people": drawn, "carts": pl.concat([large, small]), "high_value": pl.DataFrame({"value": [100.0]})}
    )

    assert estimate(headline(figures, "high_value"), "large carts bought, against no email")[
        0
    ] == pytest.approx(10)


# -- the page


class Links(HTMLParser):
    """Everything that a browser would load or follow."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Named by HTMLParser."""
        self.tags.add(tag)
        self.found += [
            f"{name}={value}"
            for name, value in attrs
            if name in ("src", "href", "srcset", "action", "onerror")
        ]


def parsed(page: str) -> Links:
    links = Links()
    links.feed(page)
    return links


def hostile(figures: Figures) -> Figures:
    named = {
        name: frame.with_columns(
            [pl.lit(HOSTILE).alias(column) for column in ("slot", "arm") if column in frame.columns]
        )
        for name, frame in figures.frames.items()
    }
    renamed = figures["people"].with_columns(
        pl.lit(HOSTILE).alias("experiment"), pl.lit("holdout").alias("kind")
    )
    hours = figures["hours"].with_columns(pl.lit(HOSTILE).alias("experiment"))
    two = pl.concat([named["arms"], named["arms"].with_columns(pl.lit("b").alias("arm"))])
    return with_frame(Figures(named), people=renamed, hours=hours, arms=two)


def test_the_page_loads_nothing_and_names_stay_names(shop: Figures):
    for figures in (shop, hostile(shop), Figures(problem=HOSTILE)):
        page = render(figures, headlines(figures), NOW)
        links = parsed(page)

        assert links.found == [] and links.tags & {"script", "img", "link", "iframe", "object"} == set()
        assert not re.search(r"url\(|@import", page)
    assert "&lt;script&gt;alert(1)" in page


def test_each_picture_has_words_and_a_table(shop: Figures):
    page = render(shop, headlines(shop), NOW)

    assert page.count("<svg") == len(re.findall(r'<svg [^>]*role="img" aria-label="[^"]+"', page)) >= 4
    assert page.count("<table>") == 7
    assert "cart_abandonment_control" in page and "mailed 26" in page


def test_nothing_at_all_says_what_is_missing(tmp_path: Path):
    figures = read_figures(tmp_path / "none.duckdb", tmp_path / "none.sqlite")

    page = render(figures, headlines(figures), NOW)

    assert page.count('class="empty"') == 7
    assert page.count("not measurable") == 3 and "has not built the warehouse yet" in page


def test_a_warehouse_of_an_older_version_gives_what_it_can(tmp_path: Path):
    warehouse = open_shop(tmp_path / "old.duckdb", people=500)
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("drop table fct_deliverability")
        connection.execute("alter table fct_experiment_people drop column trigger_name")

    figures = read_figures(warehouse, tmp_path / "none.sqlite")

    assert {"deliverability", "people"} <= set(QUESTIONS) - set(figures.frames)
    assert "trigger_name" in figures.problem
    page = render(figures, headlines(figures), NOW)
    assert "meant to be mailed" in page and page.count(">not measurable<") == 3


@pytest.mark.needs_chromium
@pytest.mark.skipif(browser() is None, reason="needs chromium: apt-get install chromium")
def test_a_browser_shows_it_without_a_complaint(shop: Figures, tmp_path: Path):
    page = tmp_path / "report.html"
    write_report(
        dataclasses.replace(shop, ledger=Overview(waterfall={"read": 30.0, "accepted": 9.0})), NOW, page
    )

    done = subprocess.run(
        [
            browser() or "", "--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--v=0",
            f"--user-data-dir={tmp_path}/profile", "--dump-dom", page.as_uri(),
        ],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip

    assert "What the emails bring" in done.stdout
    assert [line for line in done.stderr.splitlines() if "CONSOLE" in line] == []


def test_the_command_writes_the_file_and_says_the_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("KAIROS_DATA", str(tmp_path))
    open_shop(tmp_path / "warehouse.duckdb")

    done = CliRunner().invoke(app, ["report"])

    assert done.exit_code == 0, done.output
    assert "Carts recovered because of an email: +6" in done.output
    assert "<title>" in (tmp_path / "report.html").read_text()


def test_the_lifts_are_those_of_kairos_experiments(shop: Figures):
    page = render(shop, headlines(shop), NOW)

    for result in measure(shop["people"]):
        assert f"{100 * result.lifts[0].effect.lift:+.1f} pt" in page


# -- geometry


@pytest.mark.parametrize(
    ("most", "round_number"), [(0, 1), (0.07, 0.1), (3.2, 4), (41, 60), (61, 100), (100, 100)]
)
def test_an_axis_ends_at_a_round_number(most: float, round_number: float):
    assert nice(most) == pytest.approx(round_number)


def test_labels_never_lie_on_each_other():
    found = sorted(apart([186, 186, 185, 20], 12, 186))

    assert all(after - before >= 13 for before, after in itertools.pairwise(found))
    assert found[-1] <= 186


def test_dagster_shows_the_numbers_and_where_the_page_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from orchestration.defs.outcomes.report import report
    from orchestration.defs.resources import Kairos

    monkeypatch.setenv("KAIROS_DATA", str(tmp_path))
    open_shop(tmp_path / "warehouse.duckdb")

    done = dg.materialize([report], resources={"kairos": Kairos()})

    [event] = done.get_asset_materialization_events()
    assert event.materialization.metadata["recovery"].text.startswith("+6")
    assert (tmp_path / "report.html").exists()
