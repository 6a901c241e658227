-- Buys often, and the better things: early access is for them. One row per person who is in it now.
select
    person_id,
    customer_id,
    entered_at,
    reason,
    order_count,
    average_value,
    spend

from {{ members_now('premium_buyers') }} as members
