{{ config(meta={'live_needs': ['Page Engaged']}) }}
-- Someone read most of a product page and put nothing in the cart. One row per such state of a page view.
with

states as (

    select * from {{ ref('int_page_view_states') }}

),

threshold as (

    select * from {{ ref('thresholds') }} where trigger_name = 'page_depth' and is_enabled

)

select
    states.visitor_id,
    states.customer_id,
    states.session_id,
    states.session_id as entity_id,
    'page_depth' as trigger_name,
    threshold.priority,
    threshold.epoch,
    cast(null as varchar) as route,
    states.page_started_at as started_at,
    states.occurred_at,
    states.valid_from,
    states.valid_to,
    {{ seconds_after('states.valid_from', 'threshold.min_seconds') }} as qualifies_at,
    threshold.expires_after_minutes,
    threshold.hold_minutes,
    states.scroll_percent as intent_score,
    states.position,
    cast(null as bigint) as contents_from_position,
    {{ json_object_of({
        'scroll_percent': 'states.scroll_percent',
        'spec_count': 'states.spec_count',
        'click_count': 'states.click_count',
        'page_view_id': 'states.page_view_id',
        'page_url': 'states.page_url',
        'page_title': 'states.page_title',
        'product_id': 'states.product_id',
        'product_name': 'states.product_name',
        'price': 'states.price',
        'image_url': 'states.image_url',
        'device_type': 'states.device_type',
        'last_event_id': 'states.message_id',
        'min_scroll_percent': 'threshold.min_scroll_percent'
    }) }} as evidence

from states
cross join threshold
where
    states.is_product_page = 1
    and states.has_cart_click = 0
    and states.scroll_percent >= threshold.min_scroll_percent
