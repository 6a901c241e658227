{{ config(materialized='ephemeral' if target.name == 'live' else 'table') }}
-- To whom a candidate belongs when its branch is chosen. One row per candidate and audience.
-- What the visit shows is known at once, what needs a customer's history as of the last batch.
with

intents as (

    select
        *,
        {{ choice('session_intents', 'min_exploration') }} as min_exploration,
        {{ choice('session_intents', 'min_abandonment') }} as min_abandonment
    from {{ ref('int_candidate_intents') }}

),

candidates as (

    select * from {{ ref('fct_trigger_candidates') }}

)

select
    candidate_id,
    'abandoning' as audience
from intents
where
    not has_order
    and abandonment_score >= min_abandonment
    and abandonment_score >= exploration_score

union all

select
    candidate_id,
    'exploring' as audience
from intents
where
    not has_order
    and exploration_score >= min_exploration
    and (abandonment_score < min_abandonment or exploration_score > abandonment_score)

union all

select
    candidate_id,
    'price_weighers' as audience
from intents
where focus = 'proof'

union all

select
    candidate_id,
    'video_demo_viewers' as audience
from intents
where
    video_demo_count >= {{ choice('video_demo_viewers', 'min_uses') }}
    and greatest(exploration_score, abandonment_score) >= {{ choice('video_demo_viewers', 'min_intent') }}

union all

select
    intents.candidate_id,
    'size_guide_abandoners' as audience
from intents
inner join candidates on intents.candidate_id = candidates.candidate_id
where
    candidates.trigger_name = 'cart_abandonment'
    and intents.size_guide_count > 0

union all

select
    candidates.candidate_id,
    members.segment_name as audience
from candidates
inner join {{ published('fct_segment_members') }} as members on candidates.customer_id = members.customer_id
where members.segment_name in ('premium_buyers', 'researchers', 'vips', 'win_back_candidates')
