-- What became of our emails, as our own ledger reported it. One row per decision and outcome.
with

landed as (

    select
        *,
        row_number() over (partition by message_id order by position) as copy_number
    from {{ of_touched('landing', 'events') }}
    where
        source = 'kairos'
        and event in ('Email Sent', 'Email Failed', 'Email In Doubt', 'Email Cancelled')

)

select
    position,
    received_at,
    message_id,
    visitor_id,
    user_id as customer_id,
    {{ json_text('properties', 'decision_id') }} as decision_id,
    {{ json_text('properties', 'trigger_name') }} as trigger_name,
    cast({{ json_number('properties', 'touch') }} as integer) as touch,
    {{ json_text('properties', 'entity_id') }} as entity_id,
    {{ json_text('properties', 'session_id') }} as session_id,
    {{ json_text('properties', 'route') }} as route,
    {{ json_text('properties', 'variant') }} as variant,
    {{ json_text('properties', 'template') }} as template,
    case event
        when 'Email Sent' then 'sent'
        when 'Email Failed' then 'failed'
        when 'Email In Doubt' then 'in_doubt'
        else 'cancelled'
    end as outcome,
    {{ json_text('properties', 'reason') }} as reason,
    {{ json_number('properties', 'timings.ripened') }} as ripened_epoch,
    {{ json_number('properties', 'timings.accepted') }} as accepted_epoch,
    cast({{ json_number('properties', 'evidence.sequence_version') }} as integer) as sequence_version,
    cast({{ json_number('properties', 'evidence.contents_from_position') }} as bigint) as contents_from_position,
    {{ json_number('properties', 'evidence.intent_score') }} as intent_score,
    {{ json_value('properties', 'evidence') }} as evidence

from landed
where copy_number = 1
