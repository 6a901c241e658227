-- What an order says of itself. One row per Order Completed event; int_visitor_events knows which are repeats.
select
    position,
    {{ json_text('properties', 'order_id') }} as order_id,
    coalesce(
        {{ json_number('properties', 'total') }},
        {{ json_number('properties', 'revenue') }},
        {{ json_number('properties', 'value') }},
        {{ products_value('properties') }}
    ) as order_value,
    {{ json_text('properties', 'currency') }} as currency

from {{ source('landing', 'events') }}
where
    source <> 'kairos'
    and event = 'Order Completed'
