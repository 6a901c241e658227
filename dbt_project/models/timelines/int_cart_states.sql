-- What lay in a cart after each event of its visitor. One row per event while the cart is not empty.
-- A cart begins with the first item after it was empty and ends with an order or when it is emptied.
with

events as (

    select
        visitor_id,
        customer_id,
        session_id,
        episode_number,
        position,
        message_id,
        event_name,
        currency,
        device_type,
        occurred_at,
        received_at,
        next_at,
        case event_name
            when 'Product Added' then quantity
            when 'Product Removed' then -quantity
            when 'Cart Updated' then coalesce(products_quantity, 0)
            else 0
        end as item_delta,
        case event_name
            when 'Product Added' then price * quantity
            when 'Product Removed' then -price * quantity
            when 'Cart Updated' then products_value
        end as value_delta,
        case when event_name in ('Order Completed', 'Cart Cleared', 'Cart Updated') then 1 else 0 end as is_refill
    from {{ ref('int_visitor_events') }}

),

filled as (

    select
        *,
        sum(is_refill) over (
            partition by visitor_id, episode_number order by position rows unbounded preceding
        ) as fill_number
    from events

),

summed as (

    select
        *,
        sum(item_delta) over fill as net_items,
        sum(value_delta) over fill as cart_value,
        min(position) over (partition by visitor_id, episode_number, fill_number) as fill_position
    from filled
    window fill as (
        partition by visitor_id, episode_number, fill_number order by position rows unbounded preceding
    )

),

counted as (

    select
        *,
        -- Removing what was never added must not hide the next addition: the count rests on zero.
        net_items - least(0, min(net_items) over (
            partition by visitor_id, episode_number, fill_number order by position rows unbounded preceding
        )) as item_count
    from summed

),

begun as (

    select
        *,
        case
            when item_count > 0 and coalesce(lag(item_count) over (
                partition by visitor_id, episode_number order by position
            ), 0) = 0 then 1 else 0
        end as begins_cart
    from counted

),

carts as (

    select
        *,
        sum(begins_cart) over (
            partition by visitor_id, episode_number order by position rows unbounded preceding
        ) as cart_number
    from begun

)

select
    visitor_id,
    customer_id,
    session_id,
    position,
    message_id,
    occurred_at,
    first_value(message_id) over cart as cart_id,
    first_value(received_at) over cart as cart_started_at,
    greatest(first_value(position) over cart, fill_position) as contents_from_position,
    item_count,
    cast(cart_value as double) as cart_value,
    {{ last_known('currency', 'visitor_id, episode_number, cart_number') }} as currency,
    max(case when event_name = 'Checkout Started' then 1 else 0 end) over cart as has_started_checkout,
    device_type,
    received_at as valid_from,
    next_at as valid_to

from carts
where item_count > 0
window cart as (
    partition by visitor_id, episode_number, cart_number order by position rows unbounded preceding
)
