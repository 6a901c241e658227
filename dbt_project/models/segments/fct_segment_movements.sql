-- Who came and went, day by day (UTC). One row per segment and day, days without movement included.
with recursive

shop as (

    select
        {{ as_of() }} as known_until,
        date_trunc('day', {{ as_of() }}) as last_day_at

),

days as (

    select
        known_until,
        last_day_at as day_at,
        1 as day_number
    from shop
    where known_until is not null

    union all

    select
        known_until,
        {{ seconds_after('day_at', '-86400') }} as day_at,
        day_number + 1 as day_number
    from days
    where day_number < {{ var('movement_days') }}

),

segments as (

    {% for name in segment_names() %}
    select '{{ name }}' as segment_name
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

frames as (

    select
        segments.segment_name,
        days.day_at,
        {{ seconds_after('days.day_at', 86400) }} as next_day_at,
        days.known_until
    from days
    cross join segments

)

select
    frames.segment_name,
    cast(frames.day_at as date) as movement_date,
    cast(coalesce(sum(case
        when spells.entered_at >= frames.day_at then 1 else 0
    end), 0) as bigint) as entered_count,
    cast(coalesce(sum(case
        when spells.left_at < frames.next_day_at and spells.left_at <= frames.known_until then 1 else 0
    end), 0) as bigint) as left_count,
    cast(coalesce(sum(case
        when spells.left_at >= frames.next_day_at or spells.left_at > frames.known_until then 1 else 0
    end), 0) as bigint) as member_count,
    {{ stable_key(['frames.segment_name', 'frames.day_at']) }} as movement_key

from frames
left join {{ ref('int_segment_spells') }} as spells
    on
        frames.segment_name = spells.segment_name
        -- in it at some time of this day, as far as is known
        and spells.entered_at < frames.next_day_at
        and spells.entered_at <= frames.known_until
        and spells.left_at >= frames.day_at
group by frames.segment_name, frames.day_at, frames.next_day_at, frames.known_until
