-- Clicks and opens of our emails, people and machines told apart. One row per request.
select
    hits.hit_id,
    hits.decision_id,
    hits.trigger_name,
    hits.touch,
    touches.route,
    touches.variant,
    touches.template,
    hits.visitor_id,
    hits.customer_id,
    case hits.event_name when 'Email Clicked' then 'click' else 'open' end as kind,
    hits.link_number,
    hits.hit_at,
    {{ seconds_between('hits.sent_at', 'hits.hit_at') }} as seconds_after_sending,
    hits.user_agent,
    hits.is_machine,
    hits.machine_reason

from {{ ref('int_email_hits') }} as hits
left join {{ ref('stg_kairos__receipts') }} as touches
    on
        hits.decision_id = touches.decision_id
        and touches.outcome = 'sent'
