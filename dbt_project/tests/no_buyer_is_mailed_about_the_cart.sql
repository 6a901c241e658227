-- Nobody who ordered after the cart began, on any device, is meant to be reminded of it.
select
    decisions.decision_id,
    orders.position

from {{ ref('fct_send_decisions') }} as decisions
inner join {{ ref('fct_trigger_candidates') }} as candidates on decisions.decision_id = candidates.candidate_id
inner join {{ ref('int_visitor_events') }} as orders
    on
        (decisions.visitor_id = orders.visitor_id or decisions.customer_id = orders.user_id)
        and orders.received_at between candidates.started_at and decisions.qualifies_at
where
    decisions.should_send
    and decisions.trigger_name = 'cart_abandonment'
    and orders.event_name = 'Order Completed'
