{{ config(materialized='table') }}
-- What the visit had shown by then: looking around, leaving, weighing prices. One row per candidate.
-- As fct_session_intents, but up to the candidate's event, and with the revisits that the live lane remembers.
with

events as (

    select
        candidates.candidate_id,
        coalesce(candidates.session_id = events.session_id, false) as is_this_visit,
        events.*,
        lower(coalesce(contexts.path, contexts.page_path)) as path,
        contexts.page_type,
        contexts.timezone
    from {{ ref('fct_trigger_candidates') }} as candidates
    inner join {{ ref('int_visitor_events') }} as events
        on
            candidates.visitor_id = events.visitor_id
            and candidates.position >= events.position
    inner join {{ ref('stg_landing__contexts') }} as contexts on events.position = contexts.position

),

pages as (

    select
        candidate_id,
        current_page_view_id as page_view_id,
        max(path) as path,
        max(page_type) as page_type,
        max(case when is_product_page then 1 else 0 end) as is_product_page,
        coalesce(max(engaged_seconds), 0) as engaged_seconds,
        coalesce(max(scroll_percent), 0) as scroll_percent,
        max(position) as last_position
    from events
    where
        is_this_visit
        and current_page_view_id is not null
    group by candidate_id, current_page_view_id

),

-- A page counts once however many patterns it meets, a feature each time it is used.
looks as (

    select distinct
        pages.candidate_id,
        interests.interest,
        pages.last_position,
        pages.engaged_seconds
    from pages
    inner join {{ ref('interests') }} as interests
        on
            (interests.signal = 'page_type' and pages.page_type = interests.pattern)
            or (interests.signal = 'path' and pages.path like interests.pattern)

    union all

    select
        events.candidate_id,
        interests.interest,
        events.position as last_position,
        0 as engaged_seconds
    from events
    inner join {{ ref('interests') }} as interests
        on
            interests.signal = 'feature'
            and lower(events.feature_name) = interests.pattern
    where
        events.is_this_visit
        and events.event_name = 'Feature Used'

),

visits as (

    select
        candidate_id,
        max(episode_number) as episode_number,
        {{ local_hour('min(received_at)', 'max(timezone)') }} as local_hour,
        max(case when event_name = 'Product Added' then 1 else 0 end) as has_cart_addition,
        max(case when event_name = 'Checkout Started' then 1 else 0 end) as has_checkout,
        max(case when event_name = 'Order Completed' then 1 else 0 end) as has_order
    from events
    where is_this_visit
    group by candidate_id

),

revisits as (

    select
        visits.candidate_id,
        count(distinct events.session_id) as earlier_visit_count
    from visits
    inner join events
        on
            visits.candidate_id = events.candidate_id
            and visits.episode_number = events.episode_number
    where not events.is_this_visit
    group by visits.candidate_id

),

page_figures as (

    select
        candidate_id,
        count(*) as page_count,
        avg(case when is_product_page = 1 then scroll_percent end) as scroll_percent,
        max(last_position) as last_position
    from pages
    group by candidate_id

),

look_figures as (

    select
        candidate_id,
        cast(sum(case when interest = 'study' then 1 else 0 end) as bigint) as study_count,
        cast(sum(case when interest = 'size_guide' then 1 else 0 end) as bigint) as size_guide_count,
        cast(sum(case when interest = 'video_demo' then 1 else 0 end) as bigint) as video_demo_count,
        cast(sum(case when interest = 'pricing' then engaged_seconds else 0 end) as double) as pricing_seconds,
        cast(sum(case when interest = 'checkout' then 1 else 0 end) as bigint) as checkout_page_count,
        max(case when interest = 'checkout' then last_position end) as checkout_position
    from looks
    group by candidate_id

),

figures as (

    select
        visits.candidate_id,
        visits.local_hour,
        visits.has_order,
        visits.has_cart_addition * (1 - visits.has_order) as has_open_cart,
        visits.has_checkout * (1 - visits.has_order) as has_open_checkout,
        coalesce(page_figures.page_count, 0) as page_count,
        coalesce(page_figures.scroll_percent, 0) as scroll_percent,
        coalesce(look_figures.study_count, 0) as study_count,
        coalesce(look_figures.size_guide_count, 0) as size_guide_count,
        coalesce(look_figures.video_demo_count, 0) as video_demo_count,
        coalesce(look_figures.pricing_seconds, 0) as pricing_seconds,
        coalesce(look_figures.checkout_page_count, 0) as checkout_page_count,
        look_figures.checkout_position = page_figures.last_position as has_left_at_checkout,
        coalesce(revisits.earlier_visit_count, 0) as earlier_visit_count
    from visits
    left join page_figures on visits.candidate_id = page_figures.candidate_id
    left join look_figures on visits.candidate_id = look_figures.candidate_id
    left join revisits on visits.candidate_id = revisits.candidate_id

),

parts as (

    select
        figures.*,
        weights.intent,
        weights.weight,
        case weights.part
            when 'breadth' then figures.page_count
            when 'depth' then figures.scroll_percent
            when 'study' then figures.study_count
            when 'revisits' then figures.earlier_visit_count
            when 'leisure' then case when figures.local_hour between 19 and 23 then 1 else 0 end
            when 'cart' then figures.has_open_cart
            when 'checkout' then figures.has_open_checkout
            when 'path' then figures.checkout_page_count * (1 - figures.has_order)
            when 'exit' then case when figures.has_left_at_checkout then 1 - figures.has_order else 0 end
        end / weights.full_at as fulfilment
    from figures
    cross join {{ ref('intent_weights') }} as weights

),

scores as (

    select
        candidate_id,
        {{ weighted_mean('exploration') }} as exploration_score,
        {{ weighted_mean('abandonment') }} as abandonment_score
    from parts
    group by candidate_id

),

choices as (

    select
        {{ choice_of('session_intents', 'min_exploration') }} as min_exploration,
        {{ choice_of('session_intents', 'min_abandonment') }} as min_abandonment,
        {{ choice_of('session_intents', 'min_pricing_seconds') }} as min_pricing_seconds,
        {{ choice_of('video_demo_viewers', 'min_uses') }} as min_demo_uses,
        {{ choice_of('video_demo_viewers', 'min_intent') }} as min_demo_intent
    from {{ ref('segment_thresholds') }}

)

select
    figures.candidate_id,
    scores.exploration_score,
    scores.abandonment_score,
    figures.pricing_seconds,
    case when figures.pricing_seconds > choices.min_pricing_seconds then 'proof' else 'features' end as focus,
    (
        figures.has_order = 0
        and scores.abandonment_score >= choices.min_abandonment
        and scores.abandonment_score >= scores.exploration_score
    ) as is_abandoning,
    (
        figures.has_order = 0
        and scores.exploration_score >= choices.min_exploration
        and (
            scores.abandonment_score < choices.min_abandonment
            or scores.exploration_score > scores.abandonment_score
        )
    ) as is_exploring,
    figures.pricing_seconds > choices.min_pricing_seconds as is_weighing_prices,
    (
        figures.video_demo_count >= choices.min_demo_uses
        and greatest(scores.exploration_score, scores.abandonment_score) >= choices.min_demo_intent
    ) as has_watched_demo,
    figures.size_guide_count > 0 as has_seen_size_guide

from figures
inner join scores on figures.candidate_id = scores.candidate_id
cross join choices
