-- How many of those who put a product into the cart bought in the same visit. One row per product with enough of them.
with

recent as (

    select *
    from {{ ref('int_visitor_events') }}
    where
        received_at <= {{ as_of() }}
        and {{ as_of() }} < {{ seconds_after('received_at', var('proof_days') * 24 * 3600) }}

),

orders as (

    select
        visitor_id,
        session_id,
        max(position) as order_position
    from recent
    where event_name = 'Order Completed'
    group by visitor_id, session_id

),

people as (

    select
        recent.product_id,
        coalesce(recent.customer_id, recent.visitor_id) as person_id,
        max(case when recent.position < orders.order_position then 1 else 0 end) as has_bought
    from recent
    left join orders
        on
            recent.visitor_id = orders.visitor_id
            and recent.session_id = orders.session_id
    where
        recent.event_name = 'Product Added'
        and recent.product_id is not null
    group by recent.product_id, coalesce(recent.customer_id, recent.visitor_id)

)

select
    product_id,
    cast(floor(100.0 * sum(has_bought) / count(*)) as integer) as percent,
    count(*) as sample,
    {{ var('proof_days') }} as since_days

from people
group by product_id
having count(*) >= {{ var('proof_min_sample') }}
