-- The table of a segment and the last day of its movements speak of the same people.
with

members as (

    {% for name in segment_names() %}
    select
        '{{ name }}' as segment_name,
        count(*) as member_count
    from {{ ref('seg_' ~ name) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

days as (

    select
        *,
        row_number() over (partition by segment_name order by movement_date desc) as age_number
    from {{ ref('fct_segment_movements') }}

)

select
    members.segment_name,
    members.member_count,
    days.member_count as last_member_count
from members
inner join days
    on
        members.segment_name = days.segment_name
        and days.age_number = 1
where members.member_count <> days.member_count
