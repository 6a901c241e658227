-- What each side of an experiment did. One row per experiment, segment, week of entering and side.
-- Sums and sums of squares, so that rows may be added up and a notebook can make intervals of them.
select
    experiment,
    kind,
    trigger_name,
    segment,
    cast(date_trunc('week', entered_at) as date) as entered_week,
    is_control,
    count(*) as person_count,
    cast(sum(case when is_converted then 1 else 0 end) as bigint) as converted_count,
    sum(revenue) as revenue,
    sum(revenue * revenue) as revenue_squares

from {{ ref('fct_experiment_people') }}
where is_settled
group by experiment, kind, trigger_name, segment, cast(date_trunc('week', entered_at) as date), is_control
