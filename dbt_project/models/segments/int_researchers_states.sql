-- Who comes back to look again and buys nothing yet. One row per exploring visit that completes the number.
with

visits as (

    select
        session_key,
        person_id,
        customer_id,
        settled_at,
        exploration_score
    from {{ ref('fct_session_intents') }}
    where intent = 'exploring'

),

counted as (

    select
        visits.session_key,
        visits.person_id,
        visits.customer_id,
        visits.settled_at,
        count(*) as visit_count,
        avg(earlier.exploration_score) as exploration_score
    from visits
    inner join visits as earlier
        on
            visits.person_id = earlier.person_id
            and visits.settled_at >= earlier.settled_at
            and visits.settled_at
            <= {{ seconds_after('earlier.settled_at', choice('researchers', 'within_days') ~ ' * 86400') }}
    group by visits.session_key, visits.person_id, visits.customer_id, visits.settled_at
    having count(*) >= {{ choice('researchers', 'min_visits') }}

),

orders as (

    select
        counted.session_key,
        min(orders.ordered_at) as ordered_at
    from counted
    inner join {{ ref('fct_orders') }} as orders
        on
            counted.person_id = orders.person_id
            and counted.settled_at <= orders.ordered_at
    group by counted.session_key

)

select
    counted.session_key as state_key,
    counted.person_id,
    counted.customer_id,
    counted.settled_at as valid_from,
    least(
        {{ seconds_after('counted.settled_at', choice('researchers', 'keep_days') ~ ' * 86400') }},
        coalesce(orders.ordered_at, {{ forever() }})
    ) as valid_to,
    'exploring visits until ' || {{ day_of('counted.settled_at') }} || ': ' || {{ whole('counted.visit_count') }}
    || ', exploration ' || {{ amount('counted.exploration_score') }} || ' of 1' as reason,
    counted.visit_count,
    counted.exploration_score

from counted
left join orders on counted.session_key = orders.session_key
