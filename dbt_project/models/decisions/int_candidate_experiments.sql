{{ config(meta={'live_switch': 'experiments'}) }}
-- Which experiments a candidate's person is drawn for. One row per candidate and role.
-- A salted hash of the person draws: the same in both lanes, for every email, as long as the experiment runs.
with

drawn as (

    select
        rules.candidate_id,
        rules.person_id,
        experiments.experiment,
        experiments.salt,
        case experiments.kind when 'variant' then 'test' else 'control' end as role,
        row_number() over (
            partition by rules.candidate_id, case experiments.kind when 'variant' then 'test' else 'control' end
            order by case experiments.trigger_name when '*' then 0 else 1 end, experiments.kind, experiments.experiment
        ) as draw_number
    from {{ ref('int_candidate_rules') }} as rules
    inner join {{ ref('experiments') }} as experiments
        on
            experiments.is_enabled
            and experiments.trigger_name in ('*', rules.trigger_name)
            and rules.qualifies_at >= coalesce(experiments.starts_at, rules.qualifies_at)
            and rules.qualifies_at < coalesce(experiments.ends_at, {{ forever() }})
    where {{ unit_draw('experiments.salt', 'rules.person_id') }} < experiments.share

)

select
    candidate_id,
    role,
    experiment,
    salt,
    person_id

from drawn
where draw_number = 1
