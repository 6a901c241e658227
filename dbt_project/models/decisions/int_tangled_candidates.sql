{{ config(meta={'live_switch': 'review_rules.tangled_intent'}) }}
-- People of whom several different moments ripened at about the same time. One row per such candidate.
select
    rules.candidate_id,
    count(distinct moments.trigger_name) as trigger_count

from {{ ref('int_candidate_rules') }} as rules
inner join {{ ref('review_rules') }} as limits
    on
        limits.rule_name = 'tangled_intent'
        and limits.is_enabled
inner join {{ ref('int_trigger_moments') }} as moments
    on
        rules.person_id = coalesce(moments.customer_id, moments.visitor_id)
        and rules.qualifies_at >= moments.qualifies_at
        and rules.qualifies_at < {{ seconds_after('moments.qualifies_at', 'limits.within_seconds') }}
        and moments.qualifies_at < moments.valid_to
group by rules.candidate_id
having count(distinct moments.trigger_name) >= max(limits.min_value)
