-- Who bought before and has not come for long. One row per long silence between two visits.
with

visits as (

    select
        session_key,
        person_id,
        customer_id,
        ended_at,
        lead(started_at) over (partition by person_id order by started_at, session_key) as next_at
    from {{ ref('int_session_figures') }}

),

buyers as (

    select
        visits.session_key,
        visits.person_id,
        visits.customer_id,
        visits.ended_at,
        visits.next_at,
        count(*) as order_count,
        sum(orders.order_value) as spend,
        max(orders.ordered_at) as last_order_at
    from visits
    inner join {{ ref('fct_orders') }} as orders
        on
            visits.person_id = orders.person_id
            and visits.ended_at >= orders.ordered_at
    group by visits.session_key, visits.person_id, visits.customer_id, visits.ended_at, visits.next_at
    having count(*) >= {{ choice('win_back_candidates', 'min_orders') }}

),

silences as (

    select
        *,
        {{ seconds_after('ended_at', choice('win_back_candidates', 'min_silent_days') ~ ' * 86400') }} as valid_from,
        least(
            {{ seconds_after('ended_at', choice('win_back_candidates', 'max_silent_days') ~ ' * 86400') }},
            coalesce(next_at, {{ forever() }})
        ) as valid_to
    from buyers

)

select
    session_key as state_key,
    person_id,
    customer_id,
    valid_from,
    valid_to,
    'last seen on ' || {{ day_of('ended_at') }} || ', orders before: ' || {{ whole('order_count') }}
    || coalesce(' worth ' || {{ amount('spend') }}, '') as reason,
    ended_at as last_seen_at,
    last_order_at,
    order_count,
    spend

from silences
where valid_from < valid_to
