-- Whether a person or a machine followed a link or loaded the picture of an email, and why we think so.
-- One row per request.
-- The collector marks what a single request gives away; here comes what only several requests, or the clock, tell.
with

hits as (

    select * from {{ ref('stg_kairos__email_hits') }}

),

sent as (

    select
        decision_id,
        min({{ instant_of('accepted_epoch') }}) as sent_at
    from {{ ref('stg_kairos__receipts') }}
    where outcome = 'sent'
    group by decision_id

),

-- What else happened to the same email around each request.
company as (

    select
        hits.hit_id,
        count(distinct case
            when
                others.link_number > 0
                and others.hit_at <= {{ seconds_after('hits.hit_at', var('machine_seconds')) }}
                and hits.hit_at <= {{ seconds_after('others.hit_at', var('machine_seconds')) }}
                then others.link_number
        end) as link_count,
        max(case when others.machine_reason = 'hidden_link' then 1 else 0 end) as has_hidden_link
    from hits
    inner join hits as others
        on
            hits.decision_id = others.decision_id
            and others.hit_at <= {{ seconds_after('hits.hit_at', var('machine_visit_seconds')) }}
            and hits.hit_at <= {{ seconds_after('others.hit_at', var('machine_visit_seconds')) }}
    group by hits.hit_id

),

judged as (

    select
        hits.*,
        sent.sent_at,
        case
            when coalesce(hits.machine_reason, '') <> '' then hits.machine_reason
            when hits.hit_at < {{ seconds_after('sent.sent_at', var('machine_seconds')) }} then 'too_soon'
            when hits.event_name = 'Email Opened' then null
            when company.link_count >= {{ var('machine_links') }} then 'all_at_once'
            when company.has_hidden_link = 1 then 'with_hidden_link'
        end as reason
    from hits
    left join sent on hits.decision_id = sent.decision_id
    left join company on hits.hit_id = company.hit_id

)

select
    hit_id,
    position,
    received_at,
    visitor_id,
    customer_id,
    decision_id,
    trigger_name,
    touch,
    event_name,
    link_number,
    user_agent,
    sent_at,
    hit_at,
    coalesce(reason, '') <> '' as is_machine,
    reason as machine_reason

from judged
