-- What a visit was curious about: size guides, demos, prices, … One row per visitor, session and interest.
with

interests as (

    select * from {{ ref('interests') }}

),

-- A page counts once however many patterns it meets, a feature each time it is used.
pages as (

    select distinct
        pages.visitor_id,
        pages.session_id,
        interests.interest,
        pages.page_view_id,
        pages.engaged_seconds,
        pages.first_seen_at,
        pages.last_seen_at
    from {{ ref('int_page_visits') }} as pages
    inner join interests
        on
            (interests.signal = 'page_type' and pages.page_type = interests.pattern)
            or (interests.signal = 'path' and pages.path like interests.pattern)

),

looks as (

    select
        visitor_id,
        session_id,
        interest,
        engaged_seconds,
        first_seen_at,
        last_seen_at
    from pages

    union all

    select
        events.visitor_id,
        events.session_id,
        interests.interest,
        0 as engaged_seconds,
        events.received_at as first_seen_at,
        events.received_at as last_seen_at
    from {{ ref('int_visitor_events') }} as events
    inner join interests
        on
            interests.signal = 'feature'
            and lower(events.feature_name) = interests.pattern
    where events.event_name = 'Feature Used'

)

select
    visitor_id,
    session_id,
    interest,
    count(*) as look_count,
    cast(sum(engaged_seconds) as double) as visible_seconds,
    min(first_seen_at) as first_seen_at,
    max(last_seen_at) as last_seen_at

from looks
group by visitor_id, session_id, interest
