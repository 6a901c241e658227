-- Who reached a moment, and when. One row per trigger and entity (this cart, this session):
-- the first state that still stood when it ripened. An unreachable visitor may qualify again once known.
with

ripe as (

    select *
    from {{ ref('int_trigger_moments') }}
    where
        qualifies_at < valid_to
        and qualifies_at <= {{ as_of() }}

),

numbered as (

    select
        *,
        row_number() over (partition by candidate_id order by qualifies_at, position) as ripe_number
    from ripe
    where {{ only_undecided('candidate_id') }}

)

select
    candidate_id,
    sequence_id,
    trigger_name,
    touch,
    visitor_id,
    customer_id,
    session_id,
    entity_id,
    qualifies_at,
    {{ seconds_after('qualifies_at', 'expires_after_minutes * 60') }} as expires_at,
    {{ seconds_after('qualifies_at', 'hold_minutes * 60') }} as hold_until,
    priority,
    epoch,
    route,
    template,
    offer,
    started_at,
    occurred_at,
    valid_from,
    intent_score,
    position,
    contents_from_position,
    evidence

from numbered
where ripe_number = 1
