-- Left a cart after looking at a size guide: a comparison of sizes may help. One row per person who is in it now.
select
    person_id,
    customer_id,
    entered_at,
    reason,
    item_count,
    cart_value,
    size_guide_count,
    last_seen_at

from {{ members_now('size_guide_abandoners') }} as members
