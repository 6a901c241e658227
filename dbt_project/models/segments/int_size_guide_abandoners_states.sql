-- Who left a cart after looking at a size guide. One row per cart that lay still long enough.
with

carts as (

    select
        *,
        {{ seconds_after('valid_from', choice('size_guide_abandoners', 'min_silent_seconds')) }} as abandoned_at
    from {{ ref('int_cart_states') }}
    where item_count >= {{ choice('size_guide_abandoners', 'min_items') }}

),

-- The first time it lay still; what happens to it afterwards is another state of the same cart.
abandoned as (

    select
        carts.*,
        row_number() over (partition by carts.visitor_id, carts.cart_id order by carts.position) as still_number
    from carts
    where carts.abandoned_at < coalesce(carts.valid_to, {{ forever() }})

),

people as (

    select
        abandoned.visitor_id,
        abandoned.cart_id,
        figures.person_id,
        figures.customer_id,
        abandoned.abandoned_at,
        abandoned.valid_from as last_seen_at,
        abandoned.item_count,
        abandoned.cart_value,
        figures.size_guide_count
    from abandoned
    inner join {{ ref('int_session_figures') }} as figures
        on
            abandoned.visitor_id = figures.visitor_id
            and abandoned.session_id = figures.session_id
    where
        abandoned.still_number = 1
        and figures.size_guide_seen_at <= abandoned.valid_from

),

orders as (

    select
        people.visitor_id,
        people.cart_id,
        min(orders.ordered_at) as ordered_at
    from people
    inner join {{ ref('fct_orders') }} as orders
        on
            people.person_id = orders.person_id
            and people.last_seen_at <= orders.ordered_at
    group by people.visitor_id, people.cart_id

)

select
    {{ stable_key(['people.visitor_id', 'people.cart_id']) }} as state_key,
    people.person_id,
    people.customer_id,
    people.abandoned_at as valid_from,
    least(
        {{ seconds_after('people.abandoned_at', choice('size_guide_abandoners', 'keep_days') ~ ' * 86400') }},
        coalesce(orders.ordered_at, {{ forever() }})
    ) as valid_to,
    'left ' || {{ whole('people.item_count') }} || ' things'
    || coalesce(' worth ' || {{ amount('people.cart_value') }}, '') || ' in the cart on '
    || {{ day_of('people.last_seen_at') }} || ', size guide looked at: ' || {{ whole('people.size_guide_count') }}
        as reason,
    people.item_count,
    people.cart_value,
    people.size_guide_count,
    people.last_seen_at

from people
left join orders
    on
        people.visitor_id = orders.visitor_id
        and people.cart_id = orders.cart_id
where people.abandoned_at < coalesce(orders.ordered_at, {{ forever() }})
