{{ config(meta={'live_needs': ['Product Added', 'Cart Updated']}) }}
-- Someone left a cart. One row per cart and per state in which it lay still, with the instant it ripens.
with

states as (

    select * from {{ ref('int_cart_states') }}

),

threshold as (

    select * from {{ ref('thresholds') }} where trigger_name = 'cart_abandonment' and is_enabled

),

-- The first branch of the tree whose cart value is reached says how long to be patient.
branches as (

    select
        states.*,
        routes.route,
        routes.min_seconds as route_seconds,
        row_number() over (partition by states.visitor_id, states.position order by routes.route_rank) as branch_number
    from states
    inner join {{ ref('routes') }} as routes
        on
            routes.trigger_name = 'cart_abandonment'
            and coalesce(routes.tier, '') = ''
            and coalesce(routes.audience, '') = ''
            and coalesce(states.cart_value, 0) >= coalesce(routes.min_cart_value, 0)
            and (routes.min_cart_value is null or states.cart_value > routes.min_cart_value)

)

select
    branches.visitor_id,
    branches.customer_id,
    branches.session_id,
    branches.cart_id as entity_id,
    'cart_abandonment' as trigger_name,
    threshold.priority,
    threshold.epoch,
    branches.route,
    branches.cart_started_at as started_at,
    branches.occurred_at,
    branches.valid_from,
    branches.valid_to,
    {{ seconds_after('branches.valid_from', 'greatest(threshold.min_seconds, coalesce(branches.route_seconds, 0))') }}
        as qualifies_at,
    threshold.expires_after_minutes,
    threshold.hold_minutes,
    branches.cart_value as intent_score,
    branches.position,
    branches.contents_from_position,
    {{ json_object_of({
        'item_count': 'branches.item_count',
        'cart_value': 'branches.cart_value',
        'currency': 'branches.currency',
        'has_started_checkout': 'branches.has_started_checkout = 1',
        'device_type': 'branches.device_type',
        'last_event_id': 'branches.message_id',
        'min_items': 'threshold.min_items',
        'min_seconds': 'greatest(threshold.min_seconds, coalesce(branches.route_seconds, 0))'
    }) }} as evidence

from branches
cross join threshold
where
    branches.branch_number = 1
    and branches.item_count >= threshold.min_items
