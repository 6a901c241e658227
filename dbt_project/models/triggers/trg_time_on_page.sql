{{ config(meta={'live_needs': ['Page Engaged']}) }}
-- Someone read for minutes and hardly clicked. One row per such state of a page view.
-- Only visible time counts: a page without heartbeats says nothing about attention.
with

states as (

    select * from {{ ref('int_page_view_states') }}

),

threshold as (

    select * from {{ ref('thresholds') }} where trigger_name = 'time_on_page' and is_enabled

)

select
    states.visitor_id,
    states.customer_id,
    states.session_id,
    states.session_id as entity_id,
    'time_on_page' as trigger_name,
    threshold.priority,
    threshold.epoch,
    cast(null as varchar) as route,
    states.page_started_at as started_at,
    states.occurred_at,
    states.valid_from,
    states.valid_to,
    states.valid_from as qualifies_at,
    threshold.expires_after_minutes,
    threshold.hold_minutes,
    states.engaged_seconds as intent_score,
    states.position,
    cast(null as bigint) as contents_from_position,
    {{ json_object_of({
        'engaged_seconds': 'states.engaged_seconds',
        'click_count': 'states.click_count',
        'scroll_percent': 'states.scroll_percent',
        'page_view_id': 'states.page_view_id',
        'page_url': 'states.page_url',
        'page_title': 'states.page_title',
        'product_id': 'states.product_id',
        'product_name': 'states.product_name',
        'price': 'states.price',
        'image_url': 'states.image_url',
        'device_type': 'states.device_type',
        'last_event_id': 'states.message_id',
        'min_seconds': 'threshold.min_seconds',
        'max_clicks': 'threshold.max_clicks'
    }) }} as evidence

from states
cross join threshold
where
    states.engaged_seconds > threshold.min_seconds
    and states.click_count <= threshold.max_clicks
