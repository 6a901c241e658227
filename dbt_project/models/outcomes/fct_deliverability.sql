-- What became of the emails that left, as mail servers and people answered. One row per trigger and week of the answer.
with

told as (

    select
        trigger_name,
        received_at,
        case when outcome = 'in_doubt' then 'sent' else outcome end as answer,
        decision_id
    from {{ ref('stg_kairos__receipts') }}
    where outcome in ('sent', 'in_doubt', 'failed')

    union all

    select
        trigger_name,
        received_at,
        case when answer = 'bounced' and coalesce(hardness, '') = 'hard' then 'bounced_hard' else answer end as answer,
        decision_id
    from {{ ref('stg_kairos__answers') }}

    union all

    -- The button behind our own link, which no provider reports.
    select
        receipts.trigger_name,
        suppressions.received_at,
        'unsubscribed' as answer,
        receipts.decision_id
    from {{ ref('stg_kairos__suppressions') }} as suppressions
    inner join {{ ref('stg_kairos__receipts') }} as receipts
        on
            suppressions.decision_id = receipts.decision_id
            and receipts.outcome = 'sent'
    where
        suppressions.is_suppressed
        and suppressions.reason = 'unsubscribe'

)

select
    trigger_name,
    cast(date_trunc('week', received_at) as date) as told_week,
    count(distinct case when answer = 'sent' then decision_id end) as sent_count,
    count(distinct case when answer = 'failed' then decision_id end) as failed_count,
    count(distinct case when answer in ('bounced', 'bounced_hard') then decision_id end) as bounced_count,
    count(distinct case when answer = 'bounced_hard' then decision_id end) as hard_bounced_count,
    count(distinct case when answer = 'complained' then decision_id end) as complained_count,
    count(distinct case when answer = 'unsubscribed' then decision_id end) as unsubscribed_count

from told
group by trigger_name, cast(date_trunc('week', received_at) as date)
