-- How lately, how often, how much: scores from 1 (lowest fifth) to 5, and a name for the combination.
-- One row per customer who ever bought.
with

orders as (

    select
        customer_id,
        count(*) as order_count,
        coalesce(sum(order_value), 0) as spend,
        max(ordered_at) as last_order_at
    from {{ ref('fct_orders') }}
    where
        customer_id is not null
        and ordered_at <= {{ as_of() }}
    group by customer_id

),

-- The same figure gets the same score: a rank within ties would be chance.
scored as (

    select
        *,
        {{ seconds_between('last_order_at', as_of()) }} / 86400 as recency_days,
        least(5, 1 + floor(5 * percent_rank() over (order by last_order_at))) as recency_score,
        least(5, 1 + floor(5 * percent_rank() over (order by order_count))) as frequency_score,
        least(5, 1 + floor(5 * percent_rank() over (order by spend))) as monetary_score
    from orders

),

named as (

    select
        scored.*,
        rfm_groups.rfm_group,
        row_number() over (partition by scored.customer_id order by rfm_groups.group_rank) as group_number
    from scored
    left join {{ ref('rfm_groups') }} as rfm_groups
        on
            scored.recency_score between rfm_groups.min_recency and rfm_groups.max_recency
            and scored.frequency_score between rfm_groups.min_frequency and rfm_groups.max_frequency
            and scored.monetary_score >= rfm_groups.min_monetary

)

select
    customer_id,
    rfm_group,
    cast(recency_score as integer) as recency_score,
    cast(frequency_score as integer) as frequency_score,
    cast(monetary_score as integer) as monetary_score,
    recency_days,
    order_count,
    spend,
    last_order_at

from named
where group_number = 1
