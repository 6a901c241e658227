-- What became of each email within settle_hours of leaving. One row per email sent.
-- A click or a purchase is a reward; an open never is, since mail clients open what nobody reads.
with

sent as (

    select
        decision_id,
        customer_id,
        trigger_name || '/' || route as slot,
        coalesce({{ json_text('evidence', 'segment') }}, 'none') as segment,
        variant as arm,
        {{ json_number('evidence', 'propensity') }} as propensity,
        {{ json_text('evidence', 'policy_version') }} as policy_version,
        {{ instant_of('accepted_epoch') }} as sent_at,
        {{ seconds_after(instant_of('accepted_epoch'), var('settle_hours') * 3600) }} as settled_at
    from {{ ref('stg_kairos__receipts') }}
    where outcome = 'sent'

),

-- Where it comes from, and whether a person did it, is decided elsewhere; here every click is one.
people as (

    select
        hit_id as click_id,
        decision_id,
        customer_id,
        received_at
    from {{ ref('int_email_hits') }}
    where
        event_name = 'Email Clicked'
        and not is_machine

    union all

    select
        cast(position as varchar) as click_id,
        decision_id,
        customer_id,
        received_at
    from {{ ref('stg_landing__email_clicks') }}
    where not is_machine

),

-- A click that does not say which email counts for the last one before it.
told as (

    {% for who in ['people.decision_id = sent.decision_id', 'people.customer_id = sent.customer_id'] %}
    select
        people.click_id,
        sent.decision_id,
        sent.sent_at
    from people
    inner join sent
        on
            {{ who }}
            and people.received_at >= sent.sent_at
            and people.received_at < sent.settled_at
    {% if loop.first %}
    union all
    {% else %}
    where coalesce(people.decision_id, '') = ''
    {% endif %}
    {% endfor %}

),

clicks as (

    select
        decision_id,
        row_number() over (partition by click_id order by sent_at desc, decision_id asc) as sent_number
    from told

),

orders as (

    select distinct sent.decision_id
    from sent
    inner join {{ ref('fct_orders') }} as orders
        on
            sent.customer_id = orders.customer_id
            and orders.ordered_at >= sent.sent_at
            and orders.ordered_at < sent.settled_at

)

select
    sent.decision_id,
    sent.customer_id,
    sent.slot,
    sent.segment,
    sent.arm,
    sent.propensity,
    sent.policy_version,
    sent.sent_at,
    coalesce(clicked.decision_id, '') <> '' as is_clicked,
    coalesce(orders.decision_id, '') <> '' as is_converted,
    coalesce(clicked.decision_id, orders.decision_id, '') <> '' as is_rewarded,
    sent.settled_at <= {{ as_of() }} as is_settled

from sent
left join (select distinct clicks.decision_id from clicks where clicks.sent_number = 1) as clicked
    on sent.decision_id = clicked.decision_id
left join orders on sent.decision_id = orders.decision_id
