-- What became of each cart. One row per cart.
with

states as (

    select
        *,
        row_number() over (partition by visitor_id, cart_id order by position desc) as age_number,
        max(cart_value) over (partition by visitor_id, cart_id) as highest_value
    from {{ ref('int_cart_states') }}

),

-- The event that followed the last state: it ended the cart, unless the visitor came back only after the episode.
endings as (

    select
        states.visitor_id,
        states.cart_id,
        events.event_name,
        row_number() over (partition by states.visitor_id, states.cart_id order by events.position) as event_number
    from states
    inner join {{ ref('int_visitor_events') }} as events
        on
            states.visitor_id = events.visitor_id
            and states.valid_to = events.received_at
            and states.position < events.position
    where
        states.age_number = 1
        and events.received_at <= {{ seconds_after('states.valid_from', var('episode_gap_hours') * 3600) }}

)

select
    {{ stable_key(['states.visitor_id', 'states.cart_id']) }} as cart_key,
    states.cart_id,
    states.visitor_id,
    states.customer_id,
    states.session_id,
    states.cart_started_at as started_at,
    states.valid_from as last_seen_at,
    states.valid_to as ended_at,
    states.item_count,
    states.cart_value,
    states.highest_value,
    states.currency,
    states.has_started_checkout = 1 as has_started_checkout,
    case
        when endings.event_name = 'Order Completed' then 'ordered'
        when coalesce(endings.event_name, '') <> '' then 'emptied'
        when states.valid_to is not null then 'forgotten'
        else 'open'
    end as outcome

from states
left join endings
    on
        states.visitor_id = endings.visitor_id
        and states.cart_id = endings.cart_id
        and endings.event_number = 1
where states.age_number = 1
