-- What a visit was like, in figures that tell looking around from leaving. One row per visitor and session.
with

sessions as (

    select
        sessions.*,
        coalesce(sessions.customer_id, owners.customer_id) as known_customer_id,
        coalesce(sessions.customer_id, owners.customer_id, sessions.visitor_id) as person_id
    from {{ ref('fct_sessions') }} as sessions
    left join {{ ref('int_visitor_owners') }} as owners on sessions.visitor_id = owners.visitor_id

),

pages as (

    select
        visitor_id,
        session_id,
        count(*) as page_count,
        avg(case when is_product_page = 1 then scroll_percent end) as scroll_percent,
        max(last_seen_at) as last_seen_at
    from {{ ref('int_page_visits') }}
    group by visitor_id, session_id

),

interests as (

    select
        visitor_id,
        session_id,
        cast(sum(case when interest = 'study' then look_count else 0 end) as bigint) as study_count,
        cast(sum(case when interest = 'size_guide' then look_count else 0 end) as bigint) as size_guide_count,
        min(case when interest = 'size_guide' then first_seen_at end) as size_guide_seen_at,
        cast(sum(case when interest = 'video_demo' then look_count else 0 end) as bigint) as video_demo_count,
        cast(sum(case when interest = 'pricing' then look_count else 0 end) as bigint) as pricing_count,
        sum(case when interest = 'pricing' then visible_seconds else 0 end) as pricing_seconds,
        cast(sum(case when interest = 'checkout' then look_count else 0 end) as bigint) as checkout_page_count,
        max(case when interest = 'checkout' then last_seen_at end) as checkout_seen_at
    from {{ ref('int_session_interests') }}
    group by visitor_id, session_id

),

revisits as (

    select
        sessions.session_key,
        count(*) as earlier_visit_count
    from sessions
    inner join sessions as earlier
        on
            sessions.person_id = earlier.person_id
            and sessions.started_at > earlier.started_at
            and sessions.started_at <= {{ seconds_after('earlier.started_at', var('intent_revisit_days') * 86400) }}
    group by sessions.session_key

)

select
    sessions.session_key,
    sessions.visitor_id,
    sessions.session_id,
    sessions.person_id,
    sessions.known_customer_id as customer_id,
    sessions.started_at,
    sessions.ended_at,
    {{ seconds_after('sessions.ended_at', var('session_gap_minutes') * 60) }} as settled_at,
    sessions.local_hour,
    sessions.has_cart_addition,
    sessions.has_checkout,
    sessions.has_order,
    coalesce(pages.page_count, 0) as page_count,
    coalesce(pages.scroll_percent, 0) as scroll_percent,
    coalesce(interests.study_count, 0) as study_count,
    coalesce(interests.size_guide_count, 0) as size_guide_count,
    interests.size_guide_seen_at,
    coalesce(interests.video_demo_count, 0) as video_demo_count,
    coalesce(interests.pricing_count, 0) as pricing_count,
    coalesce(interests.pricing_seconds, 0) as pricing_seconds,
    coalesce(interests.checkout_page_count, 0) as checkout_page_count,
    coalesce(interests.checkout_seen_at = pages.last_seen_at, false) as has_left_at_checkout,
    coalesce(revisits.earlier_visit_count, 0) as earlier_visit_count

from sessions
left join pages
    on
        sessions.visitor_id = pages.visitor_id
        and sessions.session_id = pages.session_id
left join interests
    on
        sessions.visitor_id = interests.visitor_id
        and sessions.session_id = interests.session_id
left join revisits on sessions.session_key = revisits.session_key
