"""What the report is made of, out of the warehouse and the ledger: frames that nobody has interpreted yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import polars as pl

from orchestration.learning.reading import read
from orchestration.live.plan import RULES
from orchestration.overview import Overview, overview

CAPS = ("is_most_telling", "is_not_too_soon", "is_within_weekly_cap")
_FREE = " and ".join(f"moments.{rule}" for rule in RULES if rule not in (*CAPS, "is_not_held_out"))

# Columns by name, so that a warehouse of before one of them is a problem to be told instead of a surprise.
PEOPLE = """
select
    experiment, kind, trigger_name, share, person_id, is_control, entered_at, segment, country, earlier_order_count,
    is_converted, revenue, is_settled
from fct_experiment_people
order by experiment, person_id
"""
# A week is the window of a person-week, so that nobody's week is cut; whoever is not settled is left out later.
EMAILS = f"""
select
    people.experiment,
    people.person_id,
    people.is_control,
    people.is_settled,
    count(case when touches.outcome in ('sent', 'in_doubt') then 1 end) as email_count,
    count(case when {_FREE} then 1 end) as moment_count
from fct_experiment_people as people
left join fct_send_decisions as moments
    on
        people.person_id = coalesce(moments.customer_id, moments.visitor_id)
        and people.trigger_name in ('*', moments.trigger_name)
        and moments.qualifies_at >= people.entered_at
        and moments.qualifies_at < people.entered_at + interval 7 day
left join fct_touches as touches on moments.decision_id = touches.decision_id
where people.kind = 'holdout'
group by people.experiment, people.person_id, people.is_control, people.is_settled
order by people.experiment, people.person_id
"""
CARTS = """
select
    people.experiment,
    people.person_id,
    people.is_control,
    carts.entity_id,
    carts.intent_score as cart_value,
    carts.is_converted,
    carts.revenue
from fct_experiment_people as people
inner join fct_conversions as carts
    on
        people.person_id = carts.person_id
        and people.is_control = carts.is_control
        and carts.moment_at >= people.entered_at
where
    people.kind = 'holdout'
    and people.trigger_name = 'cart_abandonment'
    and carts.trigger_name = 'cart_abandonment'
    and carts.touch = 1
    and carts.is_settled
order by people.experiment, people.person_id, carts.moment_at, carts.decision_id
"""
HIGH_VALUE = "select max(min_cart_value) as value from seeds.routes where trigger_name = 'cart_abandonment'"
HOURS = """
select
    people.experiment,
    people.trigger_name,
    people.person_id,
    people.is_control,
    min(date_diff('second', people.entered_at, orders.ordered_at)) / 3600.0 as hours
from fct_experiment_people as people
left join fct_orders as orders
    on
        people.person_id = orders.person_id
        and orders.ordered_at >= people.entered_at
        and people.is_converted
where people.is_settled and people.kind = 'holdout'
group by people.experiment, people.trigger_name, people.person_id, people.is_control
order by people.experiment, people.person_id
"""
FUNNEL = """
select
    count(*) as moments,
    count(case when touches.should_send then 1 end) as decided,
    count(case when touches.outcome in ('sent', 'in_doubt') then 1 end) as sent,
    count(case when touches.outcome in ('sent', 'in_doubt') and bounced.decision_id is null then 1 end) as delivered,
    count(case when touches.outcome in ('sent', 'in_doubt') and touches.human_open_count > 0 then 1 end) as opened,
    count(case when touches.outcome in ('sent', 'in_doubt') and touches.human_click_count > 0 then 1 end) as clicked,
    count(case when touches.outcome in ('sent', 'in_doubt') and conversions.is_converted then 1 end) as bought
from fct_touches as touches
left join fct_conversions as conversions on touches.decision_id = conversions.decision_id
left join (select distinct decision_id from stg_kairos__answers where answer = 'bounced') as bounced
    on touches.decision_id = bounced.decision_id
"""
ARMS = """
select
    slot,
    arm,
    cast(date_trunc('week', sent_at) as date) as sent_week,
    count(*) as sent_count,
    count(case when is_settled then 1 end) as settled_count,
    count(case when is_settled and is_rewarded then 1 end) as reward_count
from fct_send_rewards
where arm is not null
group by slot, arm, cast(date_trunc('week', sent_at) as date)
order by slot, sent_week, arm
"""
DELIVERABILITY = """
select
    told_week,
    sum(sent_count) as sent,
    sum(failed_count + bounced_count) as bounced,
    sum(complained_count) as complained,
    sum(unsubscribed_count) as unsubscribed
from fct_deliverability
group by told_week
order by told_week
"""
LATENCY = """
select
    quantile_disc(latency_ms, 0.5) as p50,
    quantile_disc(latency_ms, 0.95) as p95,
    quantile_disc(latency_ms, 0.99) as p99,
    count(latency_ms) as sent
from fct_touches
where outcome = 'sent'
"""
REFUSALS = "\nunion all\n".join(
    f"select '{rule}' as rule, count(*) as refused from fct_send_decisions where not {rule}" for rule in RULES
)
SPAN = "select min(qualifies_at) as since, max(qualifies_at) as until from fct_send_decisions"

QUESTIONS = {
    "people": PEOPLE, "emails": EMAILS, "carts": CARTS, "high_value": HIGH_VALUE, "hours": HOURS, "funnel": FUNNEL,
    "arms": ARMS, "deliverability": DELIVERABILITY, "latency": LATENCY, "refusals": REFUSALS, "span": SPAN,
}  # fmt: skip


@dataclass(frozen=True)
class Figures:
    """One frame per question, empty where the warehouse cannot answer; `problem` is why."""

    frames: dict[str, pl.DataFrame] = field(default_factory=dict)
    ledger: Overview = field(default_factory=Overview)
    problem: str = ""

    def __getitem__(self, name: str) -> pl.DataFrame:
        return self.frames.get(name, pl.DataFrame())


def read_figures(warehouse: Path, ledger: Path) -> Figures:
    """Read-only, beside a running system. Never raises because of a warehouse that is missing, in use or too old."""
    frames, problem = {}, ""
    if not warehouse.exists():
        return Figures({}, overview(ledger), "the batch lane has not built the warehouse yet")
    for name, sql in QUESTIONS.items():
        try:
            frames[name] = read(warehouse, sql)
        except duckdb.Error as error:
            problem = problem or str(error).splitlines()[0]
    return Figures(frames, overview(ledger), problem)
