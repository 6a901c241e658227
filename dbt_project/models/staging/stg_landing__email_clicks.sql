-- Clicks that the shop tells of, where it follows its links itself. One row per click; ours are in int_email_hits.
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
