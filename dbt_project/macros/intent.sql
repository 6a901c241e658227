{#- The figures of int_intent_features that the intent model weighs (docs/intent-model.md). -#}
{%- macro intent_figures() -%}
    {{ return([
        'pages', 'distinct_pages', 'visit_seconds', 'last_gap_seconds', 'longest_gap_seconds', 'products_viewed',
        'lists_viewed', 'carts_viewed', 'additions', 'removals', 'checkouts', 'added_value', 'deepest_scroll',
        'features_used'
    ]) }}
{%- endmacro -%}
