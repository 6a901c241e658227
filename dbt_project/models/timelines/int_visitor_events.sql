{{ config(materialized='table') }}
-- A visitor's events with what came before and after. One row per event.
select
    events.*,
    timeline.next_at,
    timeline.episode_number,
    timeline.customer_id,
    timeline.current_page_view_id,
    timeline.session_id

from {{ ref('stg_landing__events') }} as events
inner join {{ ref('int_visitor_timeline') }} as timeline on events.position = timeline.position
