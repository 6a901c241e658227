-- Clicks that a shop reports which follows its links elsewhere. One row per click; our own links tell int_email_hits.
with

landed as (

    select
        *,
        row_number() over (partition by message_id order by position) as copy_number
    from {{ source('landing', 'events') }}
    where
        source <> 'kairos'
        and event = 'Email Clicked'

)

select
    position,
    received_at,
    visitor_id,
    user_id as customer_id,
    {{ json_text('properties', 'decision_id') }} as decision_id,
    coalesce({{ json_flag('properties', 'is_machine') }}, false) as is_machine

from landed
where copy_number = 1
