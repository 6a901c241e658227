{#- Every difference between SQL engines lives here; models use only these names. -#}

{%- macro json_text(column, path) -%}{{ return(adapter.dispatch('json_text', 'kairos')(column, path)) }}{%- endmacro -%}
{%- macro default__json_text(column, path) -%} nullif(json_extract_string({{ column }}, '$.{{ path }}'), '') {%- endmacro -%}
{%- macro spark__json_text(column, path) -%} nullif(get_json_object({{ column }}, '$.{{ path }}'), '') {%- endmacro -%}

{#- NULL where the value is missing or no number: bad input never fails a query. -#}
{%- macro json_number(column, path) -%} try_cast({{ kairos.json_text(column, path) }} as double) {%- endmacro -%}

{%- macro json_flag(column, path) -%} (lower({{ kairos.json_text(column, path) }}) in ('true', '1', 'yes')) {%- endmacro -%}

{%- macro seconds_after(instant, seconds) -%}{{ return(adapter.dispatch('seconds_after', 'kairos')(instant, seconds)) }}{%- endmacro -%}
{%- macro default__seconds_after(instant, seconds) -%} ({{ instant }} + to_seconds({{ seconds }})) {%- endmacro -%}
{%- macro spark__seconds_after(instant, seconds) -%} ({{ instant }} + make_dt_interval(0, 0, 0, {{ seconds }})) {%- endmacro -%}

{%- macro seconds_between(start, finish) -%}{{ return(adapter.dispatch('seconds_between', 'kairos')(start, finish)) }}{%- endmacro -%}
{%- macro default__seconds_between(start, finish) -%} ((epoch_us({{ finish }}) - epoch_us({{ start }})) / 1e6) {%- endmacro -%}
{%- macro spark__seconds_between(start, finish) -%} ((unix_micros({{ finish }}) - unix_micros({{ start }})) / 1e6) {%- endmacro -%}

{#- Hour of the day where the visitor is; NULL where the zone is missing or nobody knows it. -#}
{%- macro local_hour(instant, timezone) -%}{{ return(adapter.dispatch('local_hour', 'kairos')(instant, timezone)) }}{%- endmacro -%}
{%- macro default__local_hour(instant, timezone) -%}
    case
        when {{ timezone }} in (select name from pg_timezone_names())
            then extract(hour from timezone({{ timezone }}, timezone('UTC', {{ instant }})))
    end
{%- endmacro -%}

{#- The end of time, for states that still stand. -#}
{%- macro forever() -%} cast('9999-12-31 00:00:00' as timestamp) {%- endmacro -%}

{#- The newest value known so far, in order of arrival. -#}
{%- macro last_known(column, partition) -%}
    last_value({{ column }} ignore nulls) over (
        partition by {{ partition }} order by position rows between unbounded preceding and current row
    )
{%- endmacro -%}

{#- A stable key from parts; each part carries its length, so that ('a', 'bc') and ('ab', 'c') differ. -#}
{%- macro stable_key(parts) -%}
    md5({%- for part in parts -%}
        {%- set text = "coalesce(cast(" ~ part ~ " as varchar), '')" %} length({{ text }}) || ':' || {{ text }}
        {%- if not loop.last %} || {% endif -%}
    {%- endfor -%})
{%- endmacro -%}

{#- Sum of an expression over a JSON array of items: price and quantity of `item`. -#}
{%- macro products_quantity(column) -%}{{ return(adapter.dispatch('products_quantity', 'kairos')(column)) }}{%- endmacro -%}
{%- macro default__products_quantity(column) -%}
    list_sum(list_transform(json_extract({{ column }}, '$.products[*]'),
        lambda item: coalesce(try_cast(json_extract_string(item, '$.quantity') as double), 1)))
{%- endmacro -%}

{%- macro products_value(column) -%}{{ return(adapter.dispatch('products_value', 'kairos')(column)) }}{%- endmacro -%}
{%- macro default__products_value(column) -%}
    list_sum(list_transform(json_extract({{ column }}, '$.products[*]'),
        lambda item: try_cast(json_extract_string(item, '$.price') as double)
            * coalesce(try_cast(json_extract_string(item, '$.quantity') as double), 1)))
{%- endmacro -%}

{#- A JSON object from named columns; NULLs stay as null. -#}
{%- macro json_object_of(pairs) -%}{{ return(adapter.dispatch('json_object_of', 'kairos')(pairs)) }}{%- endmacro -%}
{%- macro default__json_object_of(pairs) -%}
    to_json(struct_pack({%- for name, expression in pairs.items() %} {{ name }} := {{ expression }}{{ ',' if not loop.last }}{% endfor %}))
{%- endmacro -%}

{#- A JSON array of one element per row (of those that `where` keeps), in a stated order. -#}
{%- macro json_list_of(element, order_by, where='') -%}{{ return(adapter.dispatch('json_list_of', 'kairos')(element, order_by, where)) }}{%- endmacro -%}
{%- macro default__json_list_of(element, order_by, where) -%}
    to_json(list({{ element }} order by {{ order_by }}){% if where %} filter (where {{ where }}){% endif %})
{%- endmacro -%}

{#- A JSON array of the distinct texts of a group. -#}
{%- macro json_text_list(column, order_by) -%}{{ return(adapter.dispatch('json_text_list', 'kairos')(column, order_by)) }}{%- endmacro -%}
{%- macro default__json_text_list(column, order_by) -%} to_json(list(distinct {{ column }} order by {{ order_by }})) {%- endmacro -%}

{#- Lists of instants: the emails a person was sent, as the walk over their moments goes on. -#}
{%- macro sent_list(at) -%} list({{ at }}) {%- endmacro -%}

{%- macro sent_none() -%} cast([] as timestamp[]) {%- endmacro -%}

{%- macro sent_append(sent, at) -%} list_append({{ sent }}, {{ at }}) {%- endmacro -%}

{#- How many of them lie within `seconds` before `instant`. -#}
{%- macro sent_count(sent, instant, seconds) -%}
    len(list_filter({{ sent }}, lambda sent_at: {{ instant }} < {{ kairos.seconds_after('sent_at', seconds) }}))
{%- endmacro -%}

{#- One row per item of a JSON array of products. -#}
{%- macro each_product(column) -%} unnest(json_extract({{ column }}, '$.products[*]')) {%- endmacro -%}
