-- A rule that is false and an email that is sent all the same, or the other way round.
select decision_id
from {{ ref('fct_send_decisions') }}
where should_send <> (
    is_reachable
    and has_consent
    and is_not_suppressed
    and has_not_purchased
    and is_timely
    and is_most_telling
    and is_not_too_soon
    and is_within_weekly_cap
    and has_something_to_offer
    and is_not_held_out
)
