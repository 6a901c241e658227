-- What was bought. One row per order; what browser and server both report counts once.
with

told as (

    select
        events.visitor_id,
        coalesce(events.customer_id, owners.customer_id) as customer_id,
        events.session_id,
        events.position,
        events.received_at,
        coalesce(orders.order_id, events.message_id) as order_id,
        orders.order_value,
        coalesce(orders.currency, events.currency) as currency
    from {{ ref('int_visitor_events') }} as events
    inner join {{ ref('stg_landing__orders') }} as orders on events.position = orders.position
    left join {{ ref('int_visitor_owners') }} as owners on events.visitor_id = owners.visitor_id

),

numbered as (

    select
        *,
        coalesce(customer_id, visitor_id) as person_id,
        row_number() over (
            partition by coalesce(customer_id, visitor_id), order_id order by position
        ) as copy_number
    from told

)

select
    {{ stable_key(['person_id', 'order_id']) }} as order_key,
    order_id,
    person_id,
    customer_id,
    visitor_id,
    session_id,
    position,
    received_at as ordered_at,
    order_value,
    currency

from numbered
where copy_number = 1
