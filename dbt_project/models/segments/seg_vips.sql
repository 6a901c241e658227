-- Called VIP by the shop, or spends like one. One row per person who is in it now.
select
    person_id,
    customer_id,
    entered_at,
    reason,
    tier,
    spend

from {{ members_now('vips') }} as members
