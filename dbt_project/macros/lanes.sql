{#- What differs between the live lane and the warehouse, and nothing else. -#}

{#- The instant up to which everything is known: UTC. -#}
{%- macro as_of() -%}
    {%- if target.name == 'live' -%} (select clock.as_of from {{ source('live', 'clock') }} as clock)
    {%- elif var('as_of') -%} cast('{{ var("as_of") }}' as timestamp)
    {%- else -%} (select max(events.received_at) from {{ source('landing', 'events') }} as events)
    {%- endif -%}
{%- endmacro -%}

{#- A table of events, customers or decisions. Live: what concerns the people of this micro-batch, gathered in advance
    (orchestration/live/touched.py). Warehouse: everyone. -#}
{%- macro of_touched(schema, table) -%}
    {%- if target.name == 'live' -%} {{ source(schema, table).replace_path(schema='main', identifier='of_touched_' ~ table) }}
    {%- else -%} {{ source(schema, table) }}
    {%- endif -%}
{%- endmacro -%}

{#- Live: only customers whose visitors were all gathered; others who share a browser with them are half known.
    Warehouse: everyone. -#}
{%- macro only_touched_customers(column) -%}
    {%- if target.name == 'live' -%} {{ column }} in (select touched.customer_id from {{ source('live', 'touched_customers') }} as touched)
    {%- else -%} true
    {%- endif -%}
{%- endmacro -%}

{#- Live: candidates not decided yet. Warehouse: all, decided again from scratch. -#}
{%- macro only_undecided(column) -%}
    {%- if target.name == 'live' -%} {{ column }} not in (select decided.candidate_id from {{ of_touched('live', 'decided') }} as decided)
    {%- else -%} true
    {%- endif -%}
{%- endmacro -%}

{#- Compiled live SQL runs on another file than the one it was compiled against: leave the catalog out. -#}
{%- macro ref() -%}
    {%- set relation = builtins.ref(*varargs, **kwargs) -%}
    {%- do return(relation.include(database=false) if target.name == 'live' else relation) -%}
{%- endmacro -%}

{#- The same for sources: tables of the warm database there, views over Parquet here (open_landing). -#}
{%- macro source() -%}
    {%- set relation = builtins.source(*varargs, **kwargs) -%}
    {%- do return(relation.include(database=false) if target.name == 'live' else relation) -%}
{%- endmacro -%}

{#- One schema per act of the story, the same names in every target. -#}
{%- macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name | trim if custom_schema_name else target.schema }}
{%- endmacro -%}

{#- A model of the batch lane that the live lane looks up: there, as it was last published (orchestration/publishing.py). -#}
{%- macro published(name) -%}
    {%- if target.name == 'live' -%} {{ source('published', name) }}
    {%- else -%} {{ ref(name) }}
    {%- endif -%}
{%- endmacro -%}

{#- Which moments have fired, with their instants. -#}
{%- macro decided_candidates() -%}
    {%- if target.name == 'live' -%}
    (
        select decided.candidate_id, decided.qualifies_at from {{ of_touched('live', 'decided') }} as decided
        union all
        select fresh.candidate_id, fresh.qualifies_at from {{ ref('fct_trigger_candidates') }} as fresh
    )
    {%- else -%} {{ ref('fct_trigger_candidates') }}
    {%- endif -%}
{%- endmacro -%}

{#- What each person of `relation` was sent before: the live lane remembers, the warehouse starts from nothing. -#}
{%- macro prior_sends(relation) -%}
    {%- if target.name == 'live' -%}
    select
        people.person_id,
        coalesce(
            {{ kairos.sent_list('decided.qualifies_at', 'decided.sequence_id') }} filter (where decided.should_send),
            {{ kairos.sent_none() }}
        ) as sent
    from (select distinct persons.person_id from {{ relation }} as persons) as people
    left join {{ of_touched('live', 'decided') }} as decided on people.person_id = decided.person_id
    group by people.person_id
    {%- else -%}
    select distinct persons.person_id, {{ kairos.sent_none() }} as sent from {{ relation }} as persons
    {%- endif -%}
{%- endmacro -%}
