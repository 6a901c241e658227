{#- Every difference between SQL engines lives here; models use only these names. -#}

{%- macro json_text(column, path) -%}{{ return(adapter.dispatch('json_text', 'kairos')(column, path)) }}{%- endmacro -%}
{%- macro default__json_text(column, path) -%} nullif(json_extract_string({{ column }}, '$.{{ path }}'), '') {%- endmacro -%}
{%- macro spark__json_text(column, path) -%} nullif(get_json_object({{ column }}, '$.{{ path }}'), '') {%- endmacro -%}

{#- NULL where the value is missing or no number: bad input never fails a query. -#}
{%- macro json_number(column, path) -%} try_cast({{ kairos.json_text(column, path) }} as double) {%- endmacro -%}

{#- A JSON value as JSON. -#}
{%- macro json_value(column, path) -%}{{ return(adapter.dispatch('json_value', 'kairos')(column, path)) }}{%- endmacro -%}
{%- macro default__json_value(column, path) -%} json_extract({{ column }}, '$.{{ path }}') {%- endmacro -%}
{%- macro spark__json_value(column, path) -%} get_json_object({{ column }}, '$.{{ path }}') {%- endmacro -%}

{%- macro json_flag(column, path) -%} (lower({{ kairos.json_text(column, path) }}) in ('true', '1', 'yes')) {%- endmacro -%}

{%- macro seconds_after(instant, seconds) -%}{{ return(adapter.dispatch('seconds_after', 'kairos')(instant, seconds)) }}{%- endmacro -%}
{%- macro default__seconds_after(instant, seconds) -%} ({{ instant }} + to_seconds({{ seconds }})) {%- endmacro -%}
{%- macro spark__seconds_after(instant, seconds) -%} ({{ instant }} + make_dt_interval(0, 0, 0, {{ seconds }})) {%- endmacro -%}

{%- macro seconds_between(start, finish) -%}{{ return(adapter.dispatch('seconds_between', 'kairos')(start, finish)) }}{%- endmacro -%}
{%- macro default__seconds_between(start, finish) -%} ((epoch_us({{ finish }}) - epoch_us({{ start }})) / 1e6) {%- endmacro -%}
{%- macro spark__seconds_between(start, finish) -%} ((unix_micros({{ finish }}) - unix_micros({{ start }})) / 1e6) {%- endmacro -%}

{#- Epoch seconds as an instant, to the microsecond. -#}
{%- macro instant_of(seconds) -%}{{ return(adapter.dispatch('instant_of', 'kairos')(seconds)) }}{%- endmacro -%}
{%- macro default__instant_of(seconds) -%} make_timestamp(cast(round({{ seconds }} * 1e6) as bigint)) {%- endmacro -%}
{%- macro spark__instant_of(seconds) -%} timestamp_micros(cast(round({{ seconds }} * 1e6) as bigint)) {%- endmacro -%}

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

{#- A number in [0, 1) that belongs to a salt and a key: 52 bits of md5, as orchestration/learning/assignment.py draws. -#}
{%- macro unit_draw(salt, key) -%}{{ return(adapter.dispatch('unit_draw', 'kairos')(salt, key)) }}{%- endmacro -%}
{%- macro default__unit_draw(salt, key) -%}
    (cast('0x' || substr(md5({{ salt }} || ':' || {{ key }}), 1, 13) as ubigint) / 4503599627370496.0)
{%- endmacro -%}
{%- macro spark__unit_draw(salt, key) -%}
    (cast(conv(substr(md5(concat({{ salt }}, ':', {{ key }})), 1, 13), 16, 10) as double) / 4503599627370496.0)
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
    to_json(struct_pack({%- for name, expression in pairs.items() %} "{{ name }}" := {{ expression }}{{ ',' if not loop.last }}{% endfor %}))
{%- endmacro -%}

{#- A JSON array of one element per row (of those that `where` keeps), in a stated order. -#}
{%- macro json_list_of(element, order_by, where='') -%}{{ return(adapter.dispatch('json_list_of', 'kairos')(element, order_by, where)) }}{%- endmacro -%}
{%- macro default__json_list_of(element, order_by, where) -%}
    to_json(list({{ element }} order by {{ order_by }}){% if where %} filter (where {{ where }}){% endif %})
{%- endmacro -%}

{#- A JSON array of the distinct texts of a group. -#}
{%- macro json_text_list(column, order_by) -%}{{ return(adapter.dispatch('json_text_list', 'kairos')(column, order_by)) }}{%- endmacro -%}
{%- macro default__json_text_list(column, order_by) -%} to_json(list(distinct {{ column }} order by {{ order_by }})) {%- endmacro -%}

{#- Lists of {sent_at, sequence_id}: the emails a person was sent, as the walk over their moments goes on. -#}
{%- macro sent_list(at, sequence) -%} list({'sent_at': {{ at }}, 'sequence_id': {{ sequence }}}) {%- endmacro -%}

{%- macro sent_none() -%} cast([] as struct(sent_at timestamp, sequence_id varchar)[]) {%- endmacro -%}

{%- macro sent_append(sent, at, sequence) -%} list_append({{ sent }}, {'sent_at': {{ at }}, 'sequence_id': {{ sequence }}}) {%- endmacro -%}

{#- How many of them lie within `seconds` before `instant`, optionally without those of one sequence. -#}
{%- macro sent_count(sent, instant, seconds, without_sequence=none) -%}
    len(list_filter({{ sent }}, lambda email:
        {{ instant }} < {{ kairos.seconds_after('email.sent_at', seconds) }}
        {%- if without_sequence %} and email.sequence_id <> {{ without_sequence }}{% endif %}))
{%- endmacro -%}

{#- One row per item of a JSON array of products. -#}
{%- macro each_product(column) -%} unnest(json_extract({{ column }}, '$.products[*]')) {%- endmacro -%}
