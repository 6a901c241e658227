-- Emails that left, whoever got them. One row per email.
select
    message_id,
    max({{ json_text('properties', 'template') }}) as template,
    min(received_at) as received_at

from {{ source('landing', 'events') }}
where
    source = 'kairos'
    and event = 'Email Sent'
group by message_id
