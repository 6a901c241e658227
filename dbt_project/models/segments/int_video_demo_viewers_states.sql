-- Who watched a demo in a visit that meant it. One row per such visit; it counts once it is over.
with

visits as (

    select
        figures.session_key,
        figures.person_id,
        figures.customer_id,
        figures.settled_at,
        figures.video_demo_count,
        greatest(intents.exploration_score, intents.abandonment_score) as intent_score
    from {{ ref('int_session_figures') }} as figures
    inner join {{ ref('fct_session_intents') }} as intents on figures.session_key = intents.session_key
    where
        figures.video_demo_count >= {{ choice('video_demo_viewers', 'min_uses') }}
        and not figures.has_order

),

orders as (

    select
        visits.session_key,
        min(orders.ordered_at) as ordered_at
    from visits
    inner join {{ ref('fct_orders') }} as orders
        on
            visits.person_id = orders.person_id
            and visits.settled_at <= orders.ordered_at
    group by visits.session_key

)

select
    visits.session_key as state_key,
    visits.person_id,
    visits.customer_id,
    visits.settled_at as valid_from,
    least(
        {{ seconds_after('visits.settled_at', choice('video_demo_viewers', 'keep_days') ~ ' * 86400') }},
        coalesce(orders.ordered_at, {{ forever() }})
    ) as valid_to,
    'demos watched on ' || {{ day_of('visits.settled_at') }} || ': ' || {{ whole('visits.video_demo_count') }}
    || ', intent ' || {{ amount('visits.intent_score') }} || ' of 1' as reason,
    visits.video_demo_count,
    visits.intent_score

from visits
left join orders on visits.session_key = orders.session_key
where visits.intent_score >= {{ choice('video_demo_viewers', 'min_intent') }}
