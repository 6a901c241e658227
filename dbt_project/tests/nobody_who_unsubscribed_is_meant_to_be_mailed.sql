-- About what, and until when, they wanted none. Unless the suppression was lifted again in between.
select decisions.decision_id
from {{ ref('fct_send_decisions') }} as decisions
inner join {{ ref('stg_kairos__suppressions') }} as added
    on
        decisions.customer_id = added.customer_id
        and decisions.qualifies_at >= added.received_at
        and decisions.trigger_name = coalesce(added.trigger_name, decisions.trigger_name)
        and decisions.qualifies_at < coalesce(added.suppressed_until, {{ forever() }})
left join {{ ref('stg_kairos__suppressions') }} as lifted
    on
        added.customer_id = lifted.customer_id
        and added.position < lifted.position
        and decisions.qualifies_at >= lifted.received_at
        and not lifted.is_suppressed
where
    decisions.should_send
    and added.is_suppressed
    and coalesce(lifted.position, 0) = 0
