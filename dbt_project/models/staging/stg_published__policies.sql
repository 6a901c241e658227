-- The odds of variants, with the time in which each policy stood. One row per policy, slot, segment and arm.
with

versions as (

    select
        policy_version,
        lead(valid_from) over (order by valid_from) as followed_at
    from (
        select distinct
            published.policy_version,
            published.valid_from
        from {{ source('published', 'bandit_policy') }} as published
    ) as begun

)

select
    policies.policy_version,
    policies.slot,
    policies.segment,
    policies.arm,
    policies.lo,
    policies.hi,
    policies.propensity,
    policies.valid_from,
    coalesce(versions.followed_at, {{ forever() }}) as valid_to

from {{ source('published', 'bandit_policy') }} as policies
inner join versions on policies.policy_version = versions.policy_version
