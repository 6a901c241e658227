-- What a person bought within the last purchase_window_days, and from when to when that was so.
-- One row per change: an order comes in, or one grows too old.
with

changes as (

    select
        person_id,
        customer_id,
        order_key || '+' as state_key,
        ordered_at as valid_from,
        1 as order_delta,
        coalesce(order_value, 0) as spend_delta
    from {{ ref('fct_orders') }}

    union all

    select
        person_id,
        customer_id,
        order_key || '-' as state_key,
        {{ seconds_after('ordered_at', var('purchase_window_days') * 86400) }} as valid_from,
        -1 as order_delta,
        -coalesce(order_value, 0) as spend_delta
    from {{ ref('fct_orders') }}

),

summed as (

    select
        state_key,
        person_id,
        customer_id,
        sum(order_delta) over person as order_count,
        -- Sums of floating numbers leave crumbs; nothing costs less than a cent.
        round(sum(spend_delta) over person, 2) as spend,
        valid_from,
        coalesce(
            lead(valid_from) over (partition by person_id order by valid_from, state_key), {{ forever() }}
        ) as valid_to
    from changes
    window person as (partition by person_id order by valid_from, state_key rows unbounded preceding)

)

select
    state_key,
    person_id,
    customer_id,
    cast(order_count as bigint) as order_count,
    spend,
    spend / order_count as average_value,
    valid_from,
    valid_to

from summed
where
    order_count > 0
    and valid_from < valid_to
