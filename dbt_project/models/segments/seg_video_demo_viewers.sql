-- Watched a demo in a visit that meant it: a link to a live demo may help. One row per person who is in it now.
select
    person_id,
    customer_id,
    entered_at,
    reason,
    video_demo_count,
    intent_score

from {{ members_now('video_demo_viewers') }} as members
