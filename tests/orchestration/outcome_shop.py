"""A warehouse of a shop whose truth is known, with the tables and columns that the report reads."""

from __future__ import annotations

from pathlib import Path

import duckdb

# 20 % of people buy anyway within their seven days; the static email adds 2 points, the triggered one 6.
# Everything follows from hash(), so it is the same each time.
SHOP = """
create schema seeds;
create table seeds.routes as select 'cart_abandonment' as trigger_name, unnest([null, 50.0, 100.0]) as min_cart_value;
create macro draw(salt, n) as (hash(salt || n) % 1000000) / 1000000.0;

create table cohort as
select
    'p' || n as person_id,
    timestamp '2026-03-02 08:00:00' + to_seconds(cast(draw('t', n) * 70 * 86400 as bigint)) as entered_at,
    case when draw('side', n) < 0.2 then 'none' when draw('side', n) < 0.4 then 'static' else 'triggered' end as side,
    draw('buy', n) < case when draw('side', n) < 0.2 then 0.20 when draw('side', n) < 0.4 then 0.22 else 0.26 end as buys,
    cast(10 + 190 * draw('value', n) as integer) as cart_value,
    case when draw('tier', n) < 0.3 then 'vip' else 'none' end as segment,
    168 * pow(draw('hours', n), case when draw('side', n) < 0.4 then 1.6 else 2.6 end) as hours,
    draw('refused', n) as fate,
    n
from range({people}) as t(n);

create table fct_experiment_people as
select
    experiments.*, person_id, side <> 'triggered' as is_control, entered_at, segment, 'DE' as country,
    0 as earlier_order_count, buys as is_converted, case when buys then cart_value * 1.0 else 0.0 end as revenue,
    entered_at < timestamp '2026-05-08' as is_settled
from cohort
inner join (
    values
    ('cart_abandonment_control', 'holdout', 'cart_abandonment', 0.25, 'none'),
    ('newsletter', 'static', 'cart_abandonment', 0.25, 'static')
) as experiments(experiment, kind, trigger_name, share, held)
    on cohort.side in ('triggered', held);
alter table fct_experiment_people drop column held;

create table fct_orders as
select person_id, entered_at + to_seconds(cast(hours * 3600 as bigint)) as ordered_at, cart_value * 1.0 as order_value
from cohort where buys;

create table fct_send_decisions as
select
    'd' || n || '.' || touch as decision_id, 'cart_abandonment' as trigger_name, touch, person_id as customer_id,
    'v' || n as visitor_id, entered_at + to_seconds((touch - 1) * 43200) as qualifies_at,
    fate > 0.03 or touch = 1 as is_reachable, true as has_consent, fate < 0.98 or touch = 1 as is_not_suppressed,
    not buys or touch = 1 as has_not_purchased, true as is_timely, fate < 0.9 or touch = 1 as is_most_telling,
    fate < 0.7 or touch = 1 as is_not_too_soon, fate < 0.8 or touch < 3 as is_within_weekly_cap,
    fate > 0.05 or touch < 3 as has_something_to_offer, side = 'triggered' as is_not_held_out, side, fate, buys, n,
    cart_value, segment, hours
from cohort, (values (1), (2), (3)) as touches(touch);
alter table fct_send_decisions add column should_send boolean;
update fct_send_decisions set should_send = is_reachable and is_not_suppressed and has_not_purchased and is_most_telling
    and is_not_too_soon and is_within_weekly_cap and has_something_to_offer and is_not_held_out;

create table fct_touches as
select
    decision_id, trigger_name, touch, customer_id, visitor_id, qualifies_at, should_send,
    case when should_send then 'sent' when side <> 'triggered' and touch = 1 then 'withheld' else 'refused' end as outcome,
    case when should_send then 60 + 90 * draw('ms', decision_id) + 400 * pow(draw('ms2', decision_id), 20) end as latency_ms,
    case when should_send and draw('open', decision_id) < 0.41 then 1 else 0 end as human_open_count,
    case when should_send and draw('click', decision_id) < 0.083 then 1 else 0 end as human_click_count
from fct_send_decisions;

create table fct_conversions as
select
    decision_id, 'cart_abandonment' as trigger_name, touch, 'cart' || n as entity_id, customer_id as person_id,
    side <> 'triggered' as is_control, qualifies_at as moment_at, cart_value * 1.0 as intent_score,
    buys as is_converted, case when buys then cart_value * 1.0 else 0.0 end as revenue,
    qualifies_at < timestamp '2026-05-08' as is_settled
from fct_send_decisions where should_send or (touch = 1 and side <> 'triggered');

create table stg_kairos__answers as
select decision_id, 'bounced' as answer from fct_touches where outcome = 'sent' and draw('bounce', decision_id) < 0.011;

create table fct_deliverability as
select
    cast(date_trunc('week', qualifies_at) as date) as told_week, 'cart_abandonment' as trigger_name,
    count(*) as sent_count, 0 as failed_count,
    count(case when draw('bounce', decision_id) < 0.011 then 1 end) as bounced_count,
    count(case when draw('complain', decision_id) < 0.0006 then 1 end) as complained_count,
    count(case when draw('leave', decision_id) < 0.004 then 1 end) as unsubscribed_count
from fct_touches where outcome = 'sent' group by 1, 2;

create table fct_send_rewards as
select
    decision_id, 'cart_abandonment/' || case when draw('slot', decision_id) < 0.6 then 'mid_value' else 'vip' end as slot,
    case
        when draw('arm', decision_id) < 0.62 - 0.5 / (1 + date_diff('day', date '2026-03-02', qualifies_at) / 9.0) then 'a'
        when draw('arm', decision_id) < 0.82 then 'b' else 'c'
    end as arm,
    qualifies_at as sent_at, draw('reward', decision_id) < 0.11 as is_rewarded, true as is_settled
from fct_touches where outcome = 'sent';
"""


def open_shop(warehouse: Path, people: int = 40_000) -> Path:
    """Build it; a cart of each person, the triggered ones mailed up to three times. Returns `warehouse`."""
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(SHOP.format(people=people))
    return warehouse
