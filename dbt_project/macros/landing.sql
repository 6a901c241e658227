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

{%- macro view_over_files(node) -%}
    create or replace view {{ node.schema }}.{{ node.identifier }} as
    select
    {%- for column in node.columns.values() %}
        cast(null as {{ column.data_type }}) as {{ column.name }}{{ ',' if not loop.last }}
    {%- endfor %}
    where false
    {%- for reader, pattern in [('read_parquet', node.meta.files), ('read_csv', node.meta.csv)] if pattern -%}
        {%- set files = "'" ~ pattern | replace("'", "''") ~ "'" -%}
        {%- if run_query('select count(*) from glob(' ~ files ~ ')').columns[0].values()[0] %}
    union all by name
    select * from {{ reader }}({{ files }}, union_by_name = true)
        {%- endif -%}
    {%- endfor %}
{%- endmacro -%}
