{{ config(materialized='ephemeral' if target.name == 'live' else 'view') }}
-- How likely the visit ends with an order if nobody is mailed, after each of its events. One row per event of a visit.
-- The published model is a table of weights, so a score is a sum: no library on the hot path.
{% set figures = intent_figures() %}

with

features as (

    select * from {{ ref('int_intent_features') }}

),

weights as (

    select * from {{ ref('stg_published__intent_model') }}

),

summed as (

    select
        features.visitor_id,
        features.session_id,
        features.position,
        features.event_number,
        bias.model_version,
        bias.weight
        {%- for figure in figures %}
        + coalesce({{ figure }}_weights.weight, 0)
        {%- endfor %}
        + sum(case when features.is_first_look = 1 then coalesce(looks.weight, 0) else 0 end) over (
            partition by features.visitor_id, features.session_id
            order by features.position rows unbounded preceding
        ) as logit
    from features
    left join weights as bias on bias.feature = 'bias'
    left join weights as looks on looks.feature = 'page' and features.page = looks.page
    {%- for figure in figures %}
    left join weights as {{ figure }}_weights
        on
            {{ figure }}_weights.feature = '{{ figure }}'
            and features.{{ figure }} >= {{ figure }}_weights.from_value
            and features.{{ figure }} < {{ figure }}_weights.to_value
    {%- endfor %}

)

select
    visitor_id,
    session_id,
    position,
    event_number,
    model_version,
    1 / (1 + exp(-logit)) as p_buy_without_email

from summed
