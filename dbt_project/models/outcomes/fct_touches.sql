-- What became of each decision. One row per decision, those known only from receipts included:
-- a decision of an earlier version of the models, say, which was mailed all the same.
with

decisions as (

    select * from {{ ref('fct_send_decisions') }}

),

receipts as (

    select
        *,
        row_number() over (partition by decision_id order by position desc) as age_number
    from {{ ref('stg_kairos__receipts') }}

),

hits as (

    select
        decision_id,
        count(case when event_name = 'Email Clicked' then 1 end) as click_count,
        count(case when event_name = 'Email Clicked' and not is_machine then 1 end) as human_click_count,
        count(case when event_name = 'Email Opened' then 1 end) as open_count,
        count(case when event_name = 'Email Opened' and not is_machine then 1 end) as human_open_count,
        min(case when event_name = 'Email Clicked' and not is_machine then hit_at end) as clicked_at
    from {{ ref('int_email_hits') }}
    group by decision_id

)

select
    coalesce(decisions.decision_id, receipts.decision_id) as decision_id,
    coalesce(decisions.trigger_name, receipts.trigger_name) as trigger_name,
    coalesce(decisions.touch, receipts.touch) as touch,
    coalesce(decisions.customer_id, receipts.customer_id) as customer_id,
    coalesce(decisions.visitor_id, receipts.visitor_id) as visitor_id,
    coalesce(receipts.route, decisions.route) as route,
    coalesce(receipts.variant, decisions.variant) as variant,
    decisions.qualifies_at,
    decisions.intent_score,
    coalesce(decisions.decision_id, '') <> '' as is_decided_by_models,
    coalesce(decisions.should_send, false) as should_send,
    case
        when coalesce(receipts.outcome, '') <> '' then receipts.outcome
        when decisions.should_send then 'planned'
        else 'refused'
    end as outcome,
    receipts.reason,
    receipts.received_at as outcome_at,
    case
        when receipts.outcome = 'sent' then (receipts.accepted_epoch - receipts.ripened_epoch) * 1000
    end as latency_ms,
    coalesce(hits.click_count, 0) as click_count,
    coalesce(hits.human_click_count, 0) as human_click_count,
    coalesce(hits.open_count, 0) as open_count,
    coalesce(hits.human_open_count, 0) as human_open_count,
    hits.clicked_at

from decisions
full outer join receipts
    on
        decisions.decision_id = receipts.decision_id
        and receipts.age_number = 1
left join hits on coalesce(decisions.decision_id, receipts.decision_id) = hits.decision_id
where coalesce(receipts.age_number, 1) = 1
