-- Comes back to look and has not decided: answers, not offers. One row per person who is in it now.
select
    person_id,
    customer_id,
    entered_at,
    reason,
    visit_count,
    exploration_score

from {{ members_now('researchers') }} as members
