-- Every moment that has ripened, was broken before, or may still ripen. One row per trigger and state,
-- and one per email that waits for its successor. Rows whose qualifies_at lies ahead are the live lane's timers.
{% set triggers = ['cart_abandonment', 'feature_exploration', 'time_on_page', 'page_depth'] %}
{% set known = "case when customer_id is null then 'unknown' else 'known' end" %}
{% set key = ['trigger_name', 'visitor_id', 'entity_id', 'epoch', known] %}

with

states as (

    {% for trigger in triggers + ['sequences'] %}
    {%- set is_first = trigger != 'sequences' %}
    select
        visitor_id,
        customer_id,
        session_id,
        entity_id,
        trigger_name,
        cast(priority as integer) as priority,
        epoch,
        cast({{ 1 if is_first else 'touch' }} as integer) as touch,
        route,
        cast({{ 'null' if is_first else 'template' }} as varchar) as template,
        cast({{ 'null' if is_first else 'offer' }} as varchar) as offer,
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
    from {{ ref('trg_' ~ trigger) if is_first else ref('int_sequence_states') }}
    {% if not loop.last %}union all
    {% endif %}
    {% endfor %}

)

select
    case when touch = 1 then {{ stable_key(key) }} else {{ stable_key(key + ['touch']) }} end as candidate_id,
    {{ stable_key(['trigger_name', 'visitor_id', 'entity_id']) }} as sequence_id,
    *
from states
