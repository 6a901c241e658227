"""Lifetime value: published figures, what follows from them, and when nothing is said."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from scipy.special import hyp2f1

from orchestration.people.lifetime import LIFETIMES, MEANINGS, Lifetimes, histories, lifetimes
from orchestration.people.purchases import Purchases
from tests.system import DATA

CDNOW = DATA / "cdnow" / "CDNOW_sample.txt"
END = datetime(1997, 9, 30)
needs_cdnow = pytest.mark.skipif(
    not CDNOW.exists(), reason=f"purchase histories are not here: put CDNOW_sample.txt into {CDNOW.parent}"
)
PUBLISHED = Purchases(0.243, 4.414, 0.793, 2.426, -9582.4)


def orders(*rows: tuple[str | None, str, float | None]) -> pl.DataFrame:
    schema = {"customer_id": pl.String, "ordered_at": pl.Datetime("us"), "order_value": pl.Float64}
    return pl.DataFrame(
        [(who, datetime.fromisoformat(at), value) for who, at, value in rows], schema=schema, orient="row"
    )


TRUTH = Purchases(0.8, 6.0, 0.9, 2.5, 0.0)
DAYS = 210


def shop(customers: int, days: int = DAYS, seed: int = 5) -> pl.DataFrame:
    """Customers who buy and stop as BG/NBD says, with values as Gamma-Gamma says, all since the first of January."""
    rng = np.random.default_rng(seed)
    start, rows = datetime(2026, 1, 1), []
    for number in range(customers):
        rate, stops = rng.gamma(TRUTH.r, 1 / TRUTH.alpha), rng.beta(TRUTH.a, TRUTH.b)
        mean, day = 6.0 / rng.gamma(4.0, 1 / 15.0), 0.0
        while day <= days:
            at = start + timedelta(days=day)
            rows.append((f"c{number:05d}", at.isoformat(), float(rng.gamma(6.0, mean))))
            if day and rng.random() < stops:
                break
            day += max(1.0, 7 * rng.exponential(1 / rate))
    return orders(*rows)


@pytest.fixture(scope="module")
def cdnow() -> Lifetimes:
    rows = [line.split() for line in CDNOW.read_text().splitlines()]
    frame = orders(*((row[0], f"{row[2][:4]}-{row[2][4:6]}-{row[2][6:]}", float(row[4])) for row in rows))
    return lifetimes(frame, END)


@needs_cdnow
def test_the_published_parameters_come_out(cdnow: Lifetimes):
    purchases, spending = cdnow.purchases, cdnow.spending

    assert purchases is not None and spending is not None
    assert cdnow.customers.height == 2357
    assert [round(value, 3) for value in (purchases.r, purchases.a, purchases.b)] == [0.243, 0.793, 2.426]
    assert purchases.alpha == pytest.approx(4.414, abs=0.001)
    assert purchases.log_likelihood == pytest.approx(-9582.4, abs=0.05)
    assert (spending.p, spending.q, spending.v) == pytest.approx((6.25, 3.74, 15.44), abs=0.01)


@needs_cdnow
def test_every_customer_gets_a_value(cdnow: Lifetimes):
    found = cdnow.customers

    assert found.schema == LIFETIMES
    assert found.drop("p_alive").null_count().row(0) == (0,) * 6
    assert found.filter(pl.col("p_alive").is_null())["repeat_count"].unique().to_list() == [0]
    assert found["p_alive"].drop_nulls().is_between(0, 1).all()
    product = found["expected_orders_90_days"] * found["expected_order_value"]
    assert (product - found["expected_value_90_days"]).abs().max() < 1e-9


def test_the_published_expectation_of_one_customer():
    """Two repeat purchases, the last after 30.43 of 38.86 weeks: 1.226 in the next 39."""
    expected = PUBLISHED.expected(39.0, np.array([2]), np.array([30.43]), np.array([38.86]))

    assert expected[0] == pytest.approx(1.226, abs=0.001)


def test_the_transformed_formula_is_the_published_one():
    x, t_x, T, t = np.array([0, 1, 4, 12]), np.array([0, 5, 20, 30.0]), np.array([38, 30, 25, 38.0]), 13.0
    r, alpha, a, b = PUBLISHED.r, PUBLISHED.alpha, PUBLISHED.a, PUBLISHED.b

    powers = ((alpha + T) / (alpha + T + t)) ** (r + x)
    series = hyp2f1(r + x, b + x, a + b + x - 1, t / (alpha + T + t))
    published = (a + b + x - 1) / (a - 1) * (1 - powers * series) * PUBLISHED.p_alive(x, t_x, T)

    assert PUBLISHED.expected(t, x, t_x, T) == pytest.approx(published, rel=1e-9)


def test_many_purchases_overflow_nothing():
    x, t_x, T = np.array([500.0, 3000.0]), np.array([100.0, 100.0]), np.array([100.0, 100.0])

    expected = PUBLISHED.expected(13.0, x, t_x, T)

    assert np.isfinite(expected).all() and 0 < expected[0] < 500 / 100 * 13


def test_an_expectation_grows_as_its_rate_says():
    """For somebody who never came back, the derivative at 0 is the mean rate r / (alpha + T)."""
    nothing = np.array([0.0])

    soon = PUBLISHED.expected(1e-4, nothing, nothing, np.array([20.0]))[0] / 1e-4
    rate = PUBLISHED.r / (PUBLISHED.alpha + 20)

    assert soon == pytest.approx(rate, rel=1e-3)


def test_orders_of_one_day_are_one_purchase():
    """The first day is no repeat; unknown values stay unknown; the future does not count."""
    frame = orders(
        ("ann", "2026-01-01T09:00", 10.0), ("ann", "2026-01-01T18:00", 5.0),
        ("ann", "2026-01-08T09:00", 20.0), ("ann", "2026-01-08T10:00", 4.0), ("ann", "2026-01-15T09:00", 30.0),
        ("bob", "2026-01-01T09:00", 10.0), ("bob", "2026-01-15T09:00", None),
        ("cem", "2026-01-15T09:00", 10.0), ("cem", "2026-02-01T09:00", 10.0),
        (None, "2026-01-01T09:00", 10.0),
    )  # fmt: skip

    found = histories(frame, datetime(2026, 1, 29, 12))

    assert found.rows() == [
        ("ann", 2, 2.0, 4.0, 27.0),
        ("bob", 1, 2.0, 4.0, None),
        ("cem", 0, 0.0, 2.0, None),
    ]


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (shop(60), "41 customers have bought on more than one day; 100 are needed"),
        (orders(), "0 customers have bought on more than one day; 100 are needed"),
        (shop(600, days=27), "the first order is 26 days old; 28 are needed"),
    ],
    ids=["few", "none", "young"],
)
def test_too_little_is_refused_with_a_reason(frame: pl.DataFrame, why: str):
    as_of = frame["ordered_at"].dt.truncate("1d").max() or END

    found = lifetimes(frame, as_of)

    assert found.refused == why
    assert found.customers.is_empty() and found.customers.schema == LIFETIMES
    assert found.as_metadata() == {"customers": 0, "refused": found.refused}


def test_what_was_planted_is_found():
    """Two thousand customers who live by the model: parameters and the purchases to come."""
    everything = shop(2000, days=DAYS + 90)
    now = datetime(2026, 1, 1) + timedelta(days=DAYS)

    found = lifetimes(everything, now)

    assert found.purchases is not None
    assert found.purchases.r / found.purchases.alpha == pytest.approx(TRUTH.r / TRUTH.alpha, rel=0.15)
    to_come = everything.filter(pl.col("ordered_at") > now)
    assert found.customers["expected_orders_90_days"].sum() == pytest.approx(to_come.height, rel=0.1)
    assert found.customers["expected_value_90_days"].sum() == pytest.approx(
        to_come["order_value"].sum(), rel=0.15
    )


def test_unknown_values_leave_the_purchases():
    silent = shop(600).with_columns(pl.lit(None, pl.Float64).alias("order_value"))

    found = lifetimes(silent, datetime(2026, 8, 1))

    assert found.refused == "" and found.customers.height == 600
    assert found.values_refused == "0 repeat buyers have known values; 100 are needed"
    assert found.customers["expected_value_90_days"].null_count() == 600
    assert found.customers["expected_orders_90_days"].null_count() == 0


def test_the_currency_only_scales_the_values():
    euros, cents = (
        lifetimes(shop(600).with_columns(pl.col("order_value") * factor), datetime(2026, 8, 1))
        for factor in (1, 100)
    )

    ratio = cents.customers["expected_value_90_days"] / euros.customers["expected_value_90_days"]
    assert ratio.min() == pytest.approx(100, rel=1e-3) and ratio.max() == pytest.approx(100, rel=1e-3)


def test_every_column_has_a_meaning():
    assert list(MEANINGS) == list(LIFETIMES)
