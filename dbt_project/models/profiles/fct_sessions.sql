-- One visit: who, with what, from where, along which pages. One row per visitor and session.
with

events as (

    select
        events.*,
        contexts.locale,
        contexts.timezone,
        contexts.country,
        contexts.page_path,
        contexts.client
    from {{ ref('int_visitor_events') }} as events
    inner join {{ ref('stg_landing__contexts') }} as contexts on events.position = contexts.position

),

sessions as (

    select
        visitor_id,
        session_id,
        max(customer_id) as customer_id,
        min(received_at) as started_at,
        max(received_at) as ended_at,
        count(*) as event_count,
        count(page_path) as page_view_count,
        max(device_type) as device_type,
        max(client) as client,
        max(country) as country,
        max(locale) as locale,
        max(timezone) as timezone,
        {{ json_list_of('page_path', 'position', where='page_path is not null') }} as page_path,
        max(case when event_name = 'Product Added' then 1 else 0 end) = 1 as has_cart_addition,
        max(case when event_name = 'Checkout Started' then 1 else 0 end) = 1 as has_checkout,
        max(case when event_name = 'Order Completed' then 1 else 0 end) = 1 as has_order
    from events
    group by visitor_id, session_id

)

select
    {{ stable_key(['visitor_id', 'session_id']) }} as session_key,
    *,
    {{ seconds_between('started_at', 'ended_at') }} as duration_seconds,
    {{ local_hour('started_at', 'timezone') }} as local_hour

from sessions
