-- Who is in which segment now, for the branches of routes.csv. One row per segment and customer.
-- The live lane reads it as it was last published.
{% for name in segment_names() %}
select
    '{{ name }}' as segment_name,
    customer_id,
    min(entered_at) as entered_at
from {{ ref('seg_' ~ name) }}
where customer_id is not null
group by customer_id
{{ 'union all' if not loop.last }}
{% endfor %}
