{{ config(materialized='ephemeral' if target.name == 'live' else 'view') }}
-- What could be known of a visit after each of its events: nothing here looks ahead. One row per event of a session.
with

events as (

    select
        events.visitor_id,
        events.session_id,
        events.position,
        events.customer_id,
        events.received_at,
        events.event_name,
        events.price,
        coalesce(events.quantity, 1) as quantity,
        events.scroll_percent,
        events.feature_name,
        contexts.page_path as page,
        row_number() over (
            partition by events.visitor_id, events.session_id, contexts.page_path order by events.position
        ) as look_number,
        {{ seconds_between(
            'lag(events.received_at) over (partition by events.visitor_id, events.session_id order by events.position)',
            'events.received_at'
        ) }} as gap_seconds
    from {{ ref('int_visitor_events') }} as events
    left join {{ ref('stg_landing__contexts') }} as contexts on events.position = contexts.position

)

select
    visitor_id,
    session_id,
    position,
    customer_id,
    received_at,
    page,
    case when page is not null and look_number = 1 then 1 else 0 end as is_first_look,
    row_number() over visit as event_number,
    sum(case when event_name = 'Order Completed' then 1 else 0 end) over visit as order_count,

    -- the figures of the model
    cast(count(page) over visit as double) as pages,
    cast(sum(case when page is not null and look_number = 1 then 1 else 0 end) over visit as double) as distinct_pages,
    {{ seconds_between('first_value(received_at) over visit', 'received_at') }} as visit_seconds,
    coalesce(gap_seconds, 0) as last_gap_seconds,
    coalesce(max(gap_seconds) over visit, 0) as longest_gap_seconds,
    cast(sum(case when event_name = 'Product Viewed' then 1 else 0 end) over visit as double) as products_viewed,
    cast(sum(case when event_name = 'Product List Viewed' then 1 else 0 end) over visit as double) as lists_viewed,
    cast(sum(case when event_name = 'Cart Viewed' then 1 else 0 end) over visit as double) as carts_viewed,
    cast(sum(case when event_name = 'Product Added' then 1 else 0 end) over visit as double) as additions,
    cast(sum(case when event_name = 'Product Removed' then 1 else 0 end) over visit as double) as removals,
    cast(sum(case when event_name = 'Checkout Started' then 1 else 0 end) over visit as double) as checkouts,
    coalesce(sum(case when event_name = 'Product Added' then price * quantity end) over visit, 0) as added_value,
    coalesce(max(scroll_percent) over visit, 0) as deepest_scroll,
    cast(count(feature_name) over visit as double) as features_used

from events
window visit as (partition by visitor_id, session_id order by position rows unbounded preceding)
