-- Who was in which segment, from when to when; what touches or overlaps is one spell.
-- One row per segment, person and spell.
with

states as (

    {% for name in segment_names() %}
    select
        '{{ name }}' as segment_name,
        person_id,
        state_key,
        valid_from,
        valid_to
    from {{ ref('int_' ~ name ~ '_states') }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

begun as (

    select
        *,
        case
            when valid_from <= max(valid_to) over (
                partition by segment_name, person_id order by valid_from, state_key
                rows between unbounded preceding and 1 preceding
            ) then 0
            else 1
        end as begins_spell
    from states

),

numbered as (

    select
        *,
        sum(begins_spell) over (
            partition by segment_name, person_id order by valid_from, state_key rows unbounded preceding
        ) as spell_number
    from begun

)

select
    {{ stable_key(['segment_name', 'person_id', 'spell_number']) }} as spell_key,
    segment_name,
    person_id,
    min(valid_from) as entered_at,
    max(valid_to) as left_at

from numbered
group by segment_name, person_id, spell_number
