{#- The segments, each with a model int_<name>_states (who was in it, from when to when, why) and a model seg_<name>. -#}
{%- macro segment_names() -%}
    {{ return(['premium_buyers', 'researchers', 'size_guide_abandoners', 'video_demo_viewers', 'vips', 'win_back_candidates']) }}
{%- endmacro -%}

{#- A number that marketers chose: segment_thresholds.csv. -#}
{%- macro choice(segment_name, choice) -%}
    (
        select choices.value from {{ ref('segment_thresholds') }} as choices
        where choices.segment_name = '{{ segment_name }}' and choices.choice = '{{ choice }}'
    )
{%- endmacro -%}

{#- The same over the rows of that seed, for models that ask for several. -#}
{%- macro choice_of(segment_name, choice) -%}
    max(case when segment_name = '{{ segment_name }}' and choice = '{{ choice }}' then value end)
{%- endmacro -%}

{#- The states of a segment that hold at this instant, the newest per person, with when the person came in. -#}
{%- macro members_now(segment_name) -%}
    (
        select
            states.*,
            spells.entered_at
        from (
            select
                *,
                row_number() over (partition by person_id order by valid_from desc, state_key desc) as age_number
            from {{ ref('int_' ~ segment_name ~ '_states') }}
            where valid_from <= {{ as_of() }} and {{ as_of() }} < valid_to
        ) as states
        inner join {{ ref('int_segment_spells') }} as spells
            on
                spells.segment_name = '{{ segment_name }}'
                and states.person_id = spells.person_id
                and states.valid_from >= spells.entered_at
                and states.valid_from < spells.left_at
        where states.age_number = 1
    )
{%- endmacro -%}

{#- Figures as people read them. -#}
{%- macro amount(expression) -%} cast(cast({{ expression }} as decimal(18, 2)) as varchar) {%- endmacro -%}
{%- macro whole(expression) -%} cast(cast({{ expression }} as bigint) as varchar) {%- endmacro -%}
{%- macro day_of(instant) -%} cast(cast({{ instant }} as date) as varchar) {%- endmacro -%}

{#- A part of an intent's score, 0 to 1, and the score itself: intent_weights.csv. -#}
{%- macro intent_part(part, figure) -%}
    least(1.0, {{ figure }} / (select weights.full_at from {{ ref('intent_weights') }} as weights where weights.part = '{{ part }}'))
{%- endmacro -%}

{%- macro intent_score(intent, parts) -%}
    round((
        {%- for part in parts %}
        {{ part }}_part * (select weights.weight from {{ ref('intent_weights') }} as weights where weights.part = '{{ part }}')
        {%- if not loop.last %} + {% endif %}
        {%- endfor %}
    ) / (select sum(weights.weight) from {{ ref('intent_weights') }} as weights where weights.intent = '{{ intent }}'), 4)
{%- endmacro -%}

{#- The score of one intent over rows of (intent, weight, fulfilment). -#}
{%- macro weighted_mean(intent) -%}
    round(
        sum(case when intent = '{{ intent }}' then weight * least(1.0, fulfilment) end)
        / sum(case when intent = '{{ intent }}' then weight end), 4)
{%- endmacro -%}
