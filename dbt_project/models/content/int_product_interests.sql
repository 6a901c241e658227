-- What a visit was interested in, within pair_days. One row per visit, product and kind of interest.
with

recent as (

    select *
    from {{ ref('int_visitor_events') }}
    where
        received_at <= {{ as_of() }}
        and {{ as_of() }} < {{ seconds_after('received_at', var('pair_days') * 24 * 3600) }}

),

orders as (

    select
        visitor_id,
        session_id,
        max(position) as order_position
    from recent
    where event_name = 'Order Completed'
    group by visitor_id, session_id

)

select distinct
    recent.visitor_id,
    recent.session_id,
    recent.product_id,
    case when recent.event_name = 'Product Viewed' then 'similar' else 'accessory' end as kind

from recent
left join orders
    on
        recent.visitor_id = orders.visitor_id
        and recent.session_id = orders.session_id
where
    recent.product_id is not null
    and (
        recent.event_name = 'Product Viewed'
        or (recent.event_name = 'Product Added' and recent.position < orders.order_position)
    )
