-- Who took part in an experiment, on which side, and what they did then. One row per experiment and person.
-- From the first moment in which they would have been mailed, whichever side they are on (intention to treat).
with

eligible as (

    select
        decisions.decision_id,
        decisions.qualifies_at,
        decisions.segment,
        decisions.country,
        experiments.experiment,
        experiments.kind,
        experiments.trigger_name,
        experiments.share,
        coalesce(decisions.customer_id, decisions.visitor_id) as person_id,
        coalesce(decisions.experiment = experiments.experiment, false) as is_control,
        -- A share that was changed says something else of people than what happened to them: they tell nothing.
        max(
            case
                when decisions.is_ghost and touches.outcome not in ('withheld', 'refused') then 1
                when decisions.should_send and touches.outcome = 'withheld' then 1
                else 0
            end
        ) over (partition by experiments.experiment, coalesce(decisions.customer_id, decisions.visitor_id)) as is_mixed,
        row_number() over (
            partition by experiments.experiment, coalesce(decisions.customer_id, decisions.visitor_id)
            order by decisions.qualifies_at, decisions.decision_id
        ) as moment_number
    from {{ ref('fct_send_decisions') }} as decisions
    left join {{ ref('fct_touches') }} as touches on decisions.decision_id = touches.decision_id
    inner join {{ ref('experiments') }} as experiments
        on
            experiments.kind <> 'variant'
            and experiments.is_enabled
            and experiments.trigger_name in ('*', decisions.trigger_name)
            and decisions.qualifies_at >= coalesce(experiments.starts_at, decisions.qualifies_at)
            and decisions.qualifies_at < coalesce(experiments.ends_at, {{ forever() }})
            -- Whom another experiment about this moment holds out takes no part in this one; about everybody, all do.
            and (
                experiments.trigger_name = '*'
                or coalesce(decisions.experiment, experiments.experiment) = experiments.experiment
            )
    -- Nor who is drawn for another one as well, as with `static` beside `holdout`: one side would keep them, one not.
    left join {{ ref('experiments') }} as others
        on
            experiments.trigger_name <> '*'
            and experiments.trigger_name = others.trigger_name
            and experiments.experiment <> others.experiment
            and others.kind <> 'variant'
            and others.is_enabled
            and decisions.qualifies_at >= coalesce(others.starts_at, decisions.qualifies_at)
            and decisions.qualifies_at < coalesce(others.ends_at, {{ forever() }})
            and {{ unit_draw('others.salt', 'coalesce(decisions.customer_id, decisions.visitor_id)') }} < others.share
    where
        (decisions.should_send or decisions.is_ghost)
        and coalesce(others.experiment, '') = ''

),

people as (

    select
        *,
        {{ seconds_after('qualifies_at', var('outcome_days') * 86400) }} as window_ends_at
    from eligible
    where
        moment_number = 1
        and is_mixed = 0

),

bought as (

    select
        people.experiment,
        people.person_id,
        sum(
            case
                when orders.ordered_at >= people.qualifies_at and orders.ordered_at < people.window_ends_at then 1
                else 0
            end
        ) as order_count,
        sum(
            case
                when orders.ordered_at >= people.qualifies_at and orders.ordered_at < people.window_ends_at
                    then coalesce(orders.order_value, 0)
            end
        ) as revenue,
        sum(case when orders.ordered_at < people.qualifies_at then 1 else 0 end) as earlier_order_count
    from people
    inner join {{ ref('fct_orders') }} as orders on people.person_id = orders.person_id
    group by people.experiment, people.person_id

)

select
    people.experiment,
    people.person_id,
    people.kind,
    people.trigger_name,
    people.share,
    people.is_control,
    people.qualifies_at as entered_at,
    people.segment,
    coalesce(people.country, 'unknown') as country,
    coalesce(bought.earlier_order_count, 0) as earlier_order_count,
    coalesce(bought.order_count, 0) > 0 as is_converted,
    coalesce(bought.revenue, 0.0) as revenue,
    people.window_ends_at <= {{ as_of() }} as is_settled

from people
left join bought
    on
        people.experiment = bought.experiment
        and people.person_id = bought.person_id
