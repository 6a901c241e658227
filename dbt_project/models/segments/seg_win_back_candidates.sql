-- Bought before and has not come for long. One row per person who is in it now.
select
    person_id,
    customer_id,
    entered_at,
    reason,
    last_seen_at,
    last_order_at,
    order_count,
    spend

from {{ members_now('win_back_candidates') }} as members
