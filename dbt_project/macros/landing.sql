{#- Before each run in the warehouse: one view per source over its Parquet files.
    Files that are not there yet read as no rows, columns they lack as NULL; the types are those of the sources' yml. -#}
{%- macro open_landing() -%}
    {%- if execute and target.name != 'live' -%}
        {%- for node in graph.sources.values() if node.meta.files or node.meta.csv -%}
            {%- do run_query('create schema if not exists ' ~ node.schema) -%}
            {%- do run_query(kairos.view_over_files(node)) -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro -%}

{#- CSV is read as text and cast here: a reader that guesses takes an empty column for text, and a short file for
    one without a header. What is no number counts as missing. -#}
{%- macro view_over_files(node) -%}
    create or replace view {{ node.schema }}.{{ node.identifier }} as
    select
    {%- for column in node.columns.values() %}
        {{ 'try_cast' if node.meta.csv else 'cast' }}({{ column.name }} as {{ column.data_type }}) as {{ column.name }}
        {{- ',' if not loop.last }}
    {%- endfor %}
    from (
        select
        {%- for column in node.columns.values() %}
            cast(null as {{ column.data_type }}) as {{ column.name }}{{ ',' if not loop.last }}
        {%- endfor %}
        where false
    {%- for reader, pattern, options in [
        ('read_parquet', node.meta.files, ''),
        ('read_csv', node.meta.csv, ', header = true, all_varchar = true, null_padding = true')
    ] if pattern -%}
        {%- set files = "'" ~ pattern | replace("'", "''") ~ "'" -%}
        {%- if run_query('select count(*) from glob(' ~ files ~ ')').columns[0].values()[0] %}
        union all by name
        select * from {{ reader }}({{ files }}, union_by_name = true{{ options }})
        {%- endif -%}
    {%- endfor %}
    ) as files
{%- endmacro -%}
