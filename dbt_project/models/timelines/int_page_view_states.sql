{{ config(materialized='table', meta={'live_needs': ['Page Engaged']}) }}
-- How far a visitor had come on a page after each event there. One row per event of a page view.
-- The last state of a page stands: what was read stays read after the page is left.
select
    visitor_id,
    customer_id,
    session_id,
    position,
    message_id,
    occurred_at,
    current_page_view_id as page_view_id,
    first_value(received_at) over page_view as page_started_at,
    coalesce(max(engaged_seconds) over page_view, 0) as engaged_seconds,
    coalesce(max(scroll_percent) over page_view, 0) as scroll_percent,
    coalesce(max(click_count) over page_view, 0) as click_count,
    coalesce(max(spec_count) over page_view, 0) as spec_count,
    max(case when event_name in ('Product Added', 'Order Completed') then 1 else 0 end) over page_view
        as has_cart_click,
    max(case when is_product_page then 1 else 0 end) over page_view as is_product_page,
    max(product_id) over page_view as product_id,
    max(product_name) over page_view as product_name,
    max(price) over page_view as price,
    max(image_url) over page_view as image_url,
    max(page_url) over page_view as page_url,
    max(page_title) over page_view as page_title,
    device_type,
    received_at as valid_from,
    lead(received_at) over (partition by visitor_id, episode_number, current_page_view_id order by position) as valid_to

from {{ ref('int_visitor_events') }}
where current_page_view_id is not null
window page_view as (
    partition by visitor_id, episode_number, current_page_view_id order by position rows unbounded preceding
)
