-- Who buys often, and the better things. One row per time of being so.
select
    state_key,
    person_id,
    customer_id,
    valid_from,
    valid_to,
    'orders in ' || '{{ var("purchase_window_days") }}' || ' days: ' || {{ whole('order_count') }} || ', '
    || {{ amount('average_value') }} || ' each on average' as reason,
    order_count,
    average_value,
    spend

from {{ ref('int_purchase_states') }}
where
    order_count >= {{ choice('premium_buyers', 'min_orders') }}
    and average_value >= {{ choice('premium_buyers', 'min_average_value') }}
