-- Links of our emails that were followed and pictures that were loaded, by whomever. One row per request.
-- The collector tells each twice: without the person, and then with (hit_id); only the second counts.
with

landed as (

    select
        *,
        row_number() over (partition by message_id order by position) as copy_number
    from {{ of_touched('landing', 'events') }}
    where
        source = 'kairos'
        and event in ('Email Clicked', 'Email Opened')
        and coalesce({{ json_text('properties', 'hit_id') }}, '') <> ''

)

select
    position,
    received_at,
    {{ json_text('properties', 'hit_id') }} as hit_id,
    visitor_id,
    user_id as customer_id,
    {{ json_text('properties', 'decision_id') }} as decision_id,
    {{ json_text('properties', 'trigger_name') }} as trigger_name,
    cast({{ json_number('properties', 'touch') }} as integer) as touch,
    event as event_name,
    cast({{ json_number('properties', 'link') }} as integer) as link_number,
    {{ json_text('properties', 'machine_reason') }} as machine_reason,
    {{ json_text('properties', 'user_agent') }} as user_agent,
    {{ instant_of(json_number('properties', 'hit_at')) }} as hit_at

from landed
where copy_number = 1
