-- What mail providers and mail servers answered to our emails, as our own ledger told it on.
-- One row per answer and email.
-- The collector writes each answer without the person, and the lane once more with (answer_id); only that one counts.
with

landed as (

    select
        *,
        row_number() over (partition by message_id order by position) as copy_number
    from {{ of_touched('landing', 'events') }}
    where
        source = 'kairos'
        and event in ('Email Bounced', 'Email Undeliverable', 'Email Complained', 'Email Unsubscribed')
        and coalesce({{ json_text('properties', 'answer_id') }}, '') <> ''

)

select
    position,
    message_id,
    received_at,
    visitor_id,
    user_id as customer_id,
    {{ json_text('properties', 'decision_id') }} as decision_id,
    {{ json_text('properties', 'trigger_name') }} as trigger_name,
    case event
        when 'Email Complained' then 'complained'
        when 'Email Unsubscribed' then 'unsubscribed'
        else 'bounced'
    end as answer,
    {{ json_text('properties', 'hardness') }} as hardness,
    {{ json_text('properties', 'reason') }} as reason

from landed
where copy_number = 1
