-- Whatever they are about: a day's patience is the person's, not the trigger's.
select
    later.decision_id,
    earlier.decision_id as earlier_decision_id
from {{ ref('fct_send_decisions') }} as later
inner join {{ ref('fct_send_decisions') }} as earlier
    on
        coalesce(later.customer_id, later.visitor_id) = coalesce(earlier.customer_id, earlier.visitor_id)
        and later.decision_id <> earlier.decision_id
        and later.qualifies_at >= earlier.qualifies_at
        and later.qualifies_at < {{ seconds_after('earlier.qualifies_at', var('email_gap_hours') * 3600) }}
where later.should_send and earlier.should_send
