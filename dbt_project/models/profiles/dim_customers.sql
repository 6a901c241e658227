-- What is known of each customer today. One row per customer.
with

sessions as (

    select
        customer_id,
        min(started_at) as first_seen_at,
        max(ended_at) as last_seen_at,
        count(*) as session_count,
        cast(sum(case when has_order then 1 else 0 end) as bigint) as ordering_session_count
    from {{ ref('fct_sessions') }}
    where customer_id is not null
    group by customer_id

),

carts as (

    select
        customer_id,
        cast(sum(case when outcome in ('emptied', 'forgotten') then 1 else 0 end) as bigint) as lost_cart_count
    from {{ ref('fct_carts') }}
    where customer_id is not null
    group by customer_id

),

receipts as (

    select
        customer_id,
        cast(sum(case when outcome = 'sent' then 1 else 0 end) as bigint) as email_count,
        max(case when outcome = 'sent' then received_at end) as last_email_at
    from {{ ref('stg_kairos__receipts') }}
    where customer_id is not null
    group by customer_id

),

suppressions as (

    select
        *,
        row_number() over (partition by customer_id order by position desc) as age_number
    from {{ ref('stg_kairos__suppressions') }}
    where
        coalesce(trigger_name, '') = ''
        and coalesce(suppressed_until, {{ forever() }}) = {{ forever() }}

),

told as (

    select * from {{ ref('int_customer_states') }}
    where valid_to is null

),

customers as (

    select customer_id from told
    union
    select customer_id from sessions

)

select
    customers.customer_id,
    told.email,
    coalesce(told.has_consent, false) as has_consent,
    coalesce(suppressions.is_suppressed, false) as is_suppressed,
    told.first_name,
    told.tier,
    told.loyalty_points,
    told.timezone,
    told.locale,
    told.country,
    sessions.first_seen_at,
    sessions.last_seen_at,
    coalesce(sessions.session_count, 0) as session_count,
    coalesce(sessions.ordering_session_count, 0) as ordering_session_count,
    coalesce(carts.lost_cart_count, 0) as lost_cart_count,
    coalesce(receipts.email_count, 0) as email_count,
    receipts.last_email_at

from customers
left join told on customers.customer_id = told.customer_id
left join sessions on customers.customer_id = sessions.customer_id
left join carts on customers.customer_id = carts.customer_id
left join receipts on customers.customer_id = receipts.customer_id
left join suppressions
    on
        customers.customer_id = suppressions.customer_id
        and suppressions.age_number = 1
