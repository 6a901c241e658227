-- One look at one page, whole: where, how long, how deep. One row per visitor, session and page view.
select
    events.visitor_id,
    events.session_id,
    events.current_page_view_id as page_view_id,
    max(lower(coalesce(contexts.path, contexts.page_path))) as path,
    max(contexts.page_type) as page_type,
    max(case when events.is_product_page then 1 else 0 end) as is_product_page,
    coalesce(max(events.engaged_seconds), 0) as engaged_seconds,
    coalesce(max(events.scroll_percent), 0) as scroll_percent,
    min(events.received_at) as first_seen_at,
    max(events.received_at) as last_seen_at

from {{ ref('int_visitor_events') }} as events
inner join {{ ref('stg_landing__contexts') }} as contexts on events.position = contexts.position
where events.current_page_view_id is not null
group by events.visitor_id, events.session_id, events.current_page_view_id
