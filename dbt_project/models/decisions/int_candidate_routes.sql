{{ config(materialized='ephemeral' if target.name == 'live' else 'table') }}
-- Which branch of the tree a candidate takes. One row per candidate that has one.
-- An audience is what the visit shows, known at once, or a segment as of the last batch.
-- The branch of a tier or an audience needs its cart value alone; the others were chosen by the trigger, which waited
-- for them.
with

branches as (

    select
        rules.candidate_id,
        rules.trigger_name,
        routes.route,
        routes.template,
        routes.offer,
        routes.needs_review,
        row_number() over (partition by rules.candidate_id order by routes.route_rank) as branch_number
    from {{ ref('int_candidate_rules') }} as rules
    inner join {{ ref('routes') }} as routes
        on
            rules.trigger_name = routes.trigger_name
            and rules.touch = 1
    left join {{ ref('int_candidate_intents') }} as intents on rules.candidate_id = intents.candidate_id
    left join {{ ref('int_candidate_segments') }} as segments
        on
            rules.candidate_id = segments.candidate_id
            and routes.audience = segments.segment_name
    where
        case
            when coalesce(routes.tier, '') = '' and coalesce(routes.audience, '') = ''
                then coalesce(rules.route, routes.route) = routes.route
            else
                coalesce(rules.intent_score, 0) > coalesce(routes.min_cart_value, -1)
                and (coalesce(routes.tier, '') = '' or lower(routes.tier) = lower(rules.tier))
                and case coalesce(routes.audience, '')
                    when '' then true
                    when 'abandoning' then intents.is_abandoning
                    when 'exploring' then intents.is_exploring
                    when 'price_weighers' then intents.is_weighing_prices
                    when 'video_demo_viewers' then intents.has_watched_demo
                    when 'size_guide_abandoners'
                        then intents.has_seen_size_guide and rules.trigger_name = 'cart_abandonment'
                    else coalesce(segments.segment_name, '') <> ''
                end
        end

)

select
    candidate_id,
    trigger_name,
    route,
    template,
    offer,
    needs_review

from branches
where branch_number = 1

union all

-- A later email of a sequence brings its own.
select
    candidate_id,
    trigger_name,
    route,
    template,
    offer,
    false as needs_review
from {{ ref('int_candidate_rules') }}
where touch > 1
