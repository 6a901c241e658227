-- What the person of each touch bought afterwards. One row per email meant to be sent, and per ghost withheld.
-- Buying after an email is not buying because of it: compare with the ghosts, or read fct_incrementality.
with

touches as (

    select
        touches.decision_id,
        touches.trigger_name,
        touches.touch,
        touches.route,
        touches.variant,
        touches.outcome,
        touches.intent_score,
        decisions.entity_id,
        decisions.experiment,
        coalesce(decisions.segment, 'none') as segment,
        coalesce(touches.customer_id, touches.visitor_id) as person_id,
        coalesce(decisions.is_ghost, touches.outcome = 'withheld') as is_control,
        coalesce(touches.qualifies_at, touches.outcome_at) as moment_at
    from {{ ref('fct_touches') }} as touches
    left join {{ ref('fct_send_decisions') }} as decisions on touches.decision_id = decisions.decision_id
    where
        touches.should_send
        or decisions.is_ghost
        or touches.outcome in ('sent', 'in_doubt', 'withheld')

),

windows as (

    select
        *,
        {{ seconds_after('moment_at', var('outcome_days') * 86400) }} as window_ends_at
    from touches

),

bought as (

    select
        windows.decision_id,
        count(*) as order_count,
        sum(coalesce(orders.order_value, 0)) as revenue,
        min(orders.ordered_at) as ordered_at
    from windows
    inner join {{ ref('fct_orders') }} as orders
        on
            windows.person_id = orders.person_id
            and orders.ordered_at >= windows.moment_at
            and orders.ordered_at < windows.window_ends_at
    group by windows.decision_id

)

select
    windows.decision_id,
    windows.trigger_name,
    windows.touch,
    windows.route,
    windows.segment,
    windows.variant,
    windows.entity_id,
    windows.person_id,
    windows.experiment,
    windows.is_control,
    windows.outcome,
    windows.moment_at,
    windows.intent_score,
    coalesce(bought.order_count, 0) as order_count,
    coalesce(bought.order_count, 0) > 0 as is_converted,
    coalesce(bought.revenue, 0.0) as revenue,
    {{ seconds_between('windows.moment_at', 'bought.ordered_at') }} / 3600 as hours_until,
    windows.window_ends_at <= {{ as_of() }} as is_settled

from windows
left join bought on windows.decision_id = bought.decision_id
