{{ config(meta={'live_needs': ['published.bandit_policy'], 'live_replan': true}) }}
-- What the policy of that instant makes of each variant. One row per candidate and arm, where there is a policy.
with

candidates as (

    select
        routes.candidate_id,
        routes.trigger_name || '/' || routes.route as slot,
        coalesce(nullif(lower(rules.tier), ''), 'none') as segment,
        rules.qualifies_at,
        {{ unit_draw("'bandit'", 'routes.candidate_id') }} as draw
    from {{ ref('int_candidate_routes') }} as routes
    inner join {{ ref('int_candidate_rules') }} as rules on routes.candidate_id = rules.candidate_id

),

-- A segment that the policy does not know is treated as all others.
fitting as (

    select
        candidates.candidate_id,
        policies.arm,
        policies.propensity,
        policies.policy_version,
        candidates.draw >= policies.lo and candidates.draw < policies.hi as is_drawn,
        row_number() over (
            partition by candidates.candidate_id, policies.arm
            order by case policies.segment when '*' then 1 else 0 end, policies.segment
        ) as fit_number
    from candidates
    inner join {{ ref('stg_published__policies') }} as policies
        on
            candidates.slot = policies.slot
            and policies.segment in (candidates.segment, '*')
            and candidates.qualifies_at >= policies.valid_from
            and candidates.qualifies_at < policies.valid_to

)

select
    candidate_id,
    arm,
    propensity,
    policy_version,
    is_drawn

from fitting
where fit_number = 1
