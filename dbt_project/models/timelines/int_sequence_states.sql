{{ config(materialized='table', meta={'live_needs': ['Email Sent']}) }}
-- Who waits for the next email of a sequence, and until when. One row per email sent that has a successor.
-- Exits count from the moment the email was about, so that nothing falls between its decision and its dot.
with

sent as (

    select
        *,
        coalesce(customer_id, visitor_id) as person_id,
        {{ instant_of('ripened_epoch') }} as ripened_at,
        {{ instant_of('accepted_epoch') }} as sent_at
    from {{ ref('stg_kairos__receipts') }}
    where outcome = 'sent'

),

versions as (

    select
        trigger_name,
        version,
        row_number() over (partition by trigger_name order by version desc) as age_number
    from {{ ref('sequences') }}
    where touch = 2  -- a version without a second email is none

),

-- The version they entered with, or the newest where that one is gone.
waiting as (

    select
        sent.*,
        steps.touch as next_touch,
        steps.route as next_route,
        steps.template as next_template,
        steps.offer as next_offer,
        steps.requires_event,
        steps.expires_after_minutes,
        steps.hold_minutes,
        {{ seconds_after('sent.sent_at', 'steps.after_hours * 3600') }} as due_at
    from sent
    inner join versions as newest
        on
            sent.trigger_name = newest.trigger_name
            and newest.age_number = 1
    left join versions as entered
        on
            sent.trigger_name = entered.trigger_name
            and sent.sequence_version = entered.version
    inner join {{ ref('sequences') }} as steps
        on
            sent.trigger_name = steps.trigger_name
            and steps.version = coalesce(entered.version, newest.version)
            and sent.touch + 1 = steps.touch

),

heard as (

    select
        waiting.position,
        events.event_name,
        events.received_at
    from waiting
    inner join {{ ref('int_visitor_events') }} as events on waiting.visitor_id = events.visitor_id
    where events.received_at > waiting.ripened_at

    union all

    select
        waiting.position,
        events.event_name,
        events.received_at
    from waiting
    inner join {{ ref('int_visitor_events') }} as events on waiting.customer_id = events.user_id
    where events.received_at > waiting.ripened_at

    union all

    -- Our own links tell of clicks and opens; a machine answers for nobody.
    select
        waiting.position,
        hits.event_name,
        hits.received_at
    from waiting
    inner join {{ ref('int_email_hits') }} as hits
        on waiting.person_id = coalesce(hits.customer_id, hits.visitor_id)
    where
        not hits.is_machine
        and hits.received_at > waiting.ripened_at

),

answers as (

    select
        waiting.position,
        min(case when coalesce(exits.event_name, '') <> '' then heard.received_at end) as left_at,
        min(case when waiting.requires_event = heard.event_name then heard.received_at end) as required_at
    from waiting
    inner join heard on waiting.position = heard.position
    left join {{ ref('exits') }} as exits
        on
            waiting.trigger_name = exits.trigger_name
            and heard.event_name = exits.event_name
            and waiting.next_touch >= exits.from_touch
    group by waiting.position

),

-- A newer first email to the same person takes over.
successors as (

    select
        waiting.position,
        min(later.sent_at) as followed_at
    from waiting
    inner join sent as later
        on
            waiting.person_id = later.person_id
            and waiting.sent_at < later.sent_at
            and later.touch = 1
    group by waiting.position

)

select
    waiting.visitor_id,
    waiting.customer_id,
    waiting.session_id,
    waiting.entity_id,
    waiting.trigger_name,
    threshold.priority,
    threshold.epoch,
    waiting.next_touch as touch,
    waiting.next_route as route,
    waiting.next_template as template,
    waiting.next_offer as offer,
    waiting.ripened_at as started_at,
    waiting.sent_at as occurred_at,
    waiting.sent_at as valid_from,
    least(coalesce(answers.left_at, {{ forever() }}), coalesce(successors.followed_at, {{ forever() }})) as valid_to,
    greatest(waiting.due_at, coalesce(answers.required_at, waiting.due_at)) as qualifies_at,
    waiting.expires_after_minutes,
    waiting.hold_minutes,
    waiting.intent_score,
    waiting.position,
    waiting.contents_from_position,
    waiting.evidence

from waiting
inner join {{ ref('thresholds') }} as threshold
    on
        waiting.trigger_name = threshold.trigger_name
        and threshold.is_enabled
left join answers on waiting.position = answers.position
left join successors on waiting.position = successors.position
where coalesce(waiting.requires_event, '') = '' or answers.required_at >= waiting.sent_at
