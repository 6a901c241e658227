-- Members of a day are those of the day before, and who came, without who left.
with

days as (

    select
        *,
        lag(member_count) over (partition by segment_name order by movement_date) as members_before
    from {{ ref('fct_segment_movements') }}

)

select * from days
where member_count <> members_before + entered_count - left_count
