-- Whom the shop calls VIP, or who spends like one. One row per time of being so.
with

told as (

    select
        {{ stable_key(['customer_id', 'position']) }} as state_key,
        customer_id as person_id,
        customer_id,
        valid_from,
        coalesce(valid_to, {{ forever() }}) as valid_to,
        tier,
        cast(null as double) as spend
    from {{ ref('int_customer_states') }}
    where tier = 'vip'

),

spent as (

    select
        state_key,
        person_id,
        customer_id,
        valid_from,
        valid_to,
        cast(null as varchar) as tier,
        spend
    from {{ ref('int_purchase_states') }}
    where spend >= {{ choice('vips', 'min_spend') }}

),

states as (

    select * from told
    union all
    select * from spent

)

select
    *,
    coalesce(
        'spent ' || {{ amount('spend') }} || ' in ' || '{{ var("purchase_window_days") }}' || ' days',
        'tier vip, as the shop told'
    ) as reason

from states
where valid_from < valid_to
