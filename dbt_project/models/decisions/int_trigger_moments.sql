-- Every moment that has ripened, was broken before, or may still ripen. One row per trigger and state.
-- Rows whose qualifies_at lies ahead are the live lane's timers.
{% set triggers = ['cart_abandonment', 'feature_exploration', 'time_on_page', 'page_depth'] %}
{% set known = "case when customer_id is null then 'unknown' else 'known' end" %}
{% set key = ['trigger_name', 'visitor_id', 'entity_id', 'epoch', known] %}

with

states as (

    {% for trigger in triggers %}
    select
        visitor_id,
        customer_id,
        session_id,
        entity_id,
        trigger_name,
        cast(priority as integer) as priority,
        epoch,
        route,
        started_at,
        occurred_at,
        valid_from,
        coalesce(valid_to, {{ forever() }}) as valid_to,
        qualifies_at,
        expires_after_minutes,
        hold_minutes,
        cast(intent_score as double) as intent_score,
        position,
        contents_from_position,
        evidence
    from {{ ref('trg_' ~ trigger) }}
    {% if not loop.last %}union all
    {% endif %}
    {% endfor %}

)

select
    {{ stable_key(key) }} as candidate_id,
    *
from states
