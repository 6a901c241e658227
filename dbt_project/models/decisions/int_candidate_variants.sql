-- Which variant a candidate is written with, and how probable that was. One row per candidate that has one.
-- Without a policy all are equally probable; so they are in a test of variants, where a person keeps theirs.
with

offered as (

    select
        routes.candidate_id,
        variants.variant,
        variants.subject,
        variants.preheader,
        coalesce(odds.is_drawn, false) as is_drawn,
        coalesce(odds.propensity, 0.0) as propensity,
        coalesce('test:' || tests.experiment, odds.policy_version) as policy_version,
        -- Each variant gets its own hash and the largest wins: the same person and cart, the same subject.
        case
            when tests.experiment is null then {{ stable_key(['routes.candidate_id', 'variants.variant']) }}
            else {{ stable_key(['tests.salt', 'tests.person_id', 'variants.variant']) }}
        end as lot
    from {{ ref('int_candidate_routes') }} as routes
    inner join {{ ref('variants') }} as variants
        on
            routes.trigger_name = variants.trigger_name
            and routes.route = variants.route
    left join {{ ref('int_candidate_experiments') }} as tests
        on
            routes.candidate_id = tests.candidate_id
            and tests.role = 'test'
    left join {{ ref('int_candidate_odds') }} as odds
        on
            routes.candidate_id = odds.candidate_id
            and variants.variant = odds.arm
            and tests.experiment is null

),

-- What the policy gave to variants that are gone falls to those that are left, evenly; all of it, without a policy.
numbered as (

    select
        candidate_id,
        variant,
        subject,
        preheader,
        propensity
        + greatest(1 - sum(propensity) over (partition by candidate_id), 0)
        / count(*) over (partition by candidate_id) as propensity,
        max(policy_version) over (partition by candidate_id) as policy_version,
        row_number() over (
            partition by candidate_id
            order by case when is_drawn then 0 else 1 end asc, lot desc, variant asc
        ) as draw_number
    from offered

)

select
    candidate_id,
    variant,
    subject,
    preheader,
    propensity,
    policy_version

from numbered
where draw_number = 1
