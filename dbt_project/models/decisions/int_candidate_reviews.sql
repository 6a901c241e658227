{{ config(meta={'live_switch': 'review_rules'}) }}
-- Whose email waits for a person, and by which rules. One row per candidate that waits.
with

rules as (

    select * from {{ ref('int_candidate_rules') }}

),

limits as (

    select * from {{ ref('review_rules') }} where is_enabled

),

tangled as (

    select
        rules.candidate_id,
        limits.rule_name
    from rules
    inner join limits on limits.rule_name = 'tangled_intent'
    inner join {{ ref('int_trigger_moments') }} as moments
        on
            rules.person_id = coalesce(moments.customer_id, moments.visitor_id)
            and rules.qualifies_at >= moments.qualifies_at
            and rules.qualifies_at < {{ seconds_after('moments.qualifies_at', 'limits.within_seconds') }}
    where moments.qualifies_at < moments.valid_to
    group by rules.candidate_id, limits.rule_name
    having count(distinct moments.trigger_name) >= max(limits.min_value)

),

waiting as (

    select
        rules.candidate_id,
        limits.rule_name
    from rules
    cross join limits
    where
        (limits.rule_name = 'vip_customer' and lower(rules.tier) = 'vip')
        or (
            limits.rule_name = 'cart_value'
            and rules.trigger_name = 'cart_abandonment'
            and rules.intent_score >= limits.min_value
        )

    union all

    select
        candidate_id,
        rule_name
    from tangled

    union all

    select
        sends.candidate_id,
        limits.rule_name
    from {{ ref('int_template_sends') }} as sends
    inner join limits
        on
            limits.rule_name = 'new_template'
            and limits.min_value > sends.send_count

)

select
    candidate_id,
    {{ comma_list('rule_name') }} as review_reason

from waiting
group by candidate_id
