{{ config(meta={'live_switch': 'review_rules'}) }}
-- Whose email waits for a person, and by which rules. One row per candidate that waits.
with

-- The limits in one row: NULL for a rule that is off, and nothing compares with NULL.
limits as (

    select
        max(case when rule_name = 'cart_value' then min_value end) as min_cart_value,
        max(case when rule_name = 'new_template' then min_value end) as min_sends,
        max(case when rule_name = 'vip_customer' then 'vip' end) as valued_tier
    from {{ ref('review_rules') }}
    where is_enabled

),

judged as (

    select
        rules.candidate_id,
        concat_ws(
            ', ',
            case
                when rules.trigger_name = 'cart_abandonment' and rules.intent_score >= limits.min_cart_value
                    then 'cart_value'
            end,
            case when sends.send_count < limits.min_sends then 'new_template' end,
            case when tangled.trigger_count > 0 then 'tangled_intent' end,
            case when lower(rules.tier) = limits.valued_tier then 'vip_customer' end
        ) as review_reason
    from {{ ref('int_candidate_rules') }} as rules
    cross join limits
    left join {{ ref('int_tangled_candidates') }} as tangled on rules.candidate_id = tangled.candidate_id
    left join {{ ref('int_template_sends') }} as sends on rules.candidate_id = sends.candidate_id

)

select
    candidate_id,
    review_reason

from judged
where review_reason <> ''
