-- Who is mailed what, and why or why not. One row per candidate, refused ones included.
with

rules as (

    select * from {{ ref('int_candidate_rules') }}

),

walk as (

    select * from {{ ref('int_candidate_walk') }}

),

routes as (

    select * from {{ ref('int_candidate_routes') }}

),

-- Each variant gets its own hash and the largest wins: the same person and cart, the same subject, on any engine.
variants as (

    select
        routes.candidate_id,
        variants.variant,
        variants.subject,
        variants.preheader,
        row_number() over (
            partition by routes.candidate_id
            order by {{ stable_key(['routes.candidate_id', 'variants.variant']) }} desc, variants.variant
        ) as draw_number
    from routes
    inner join {{ ref('variants') }} as variants
        on
            routes.trigger_name = variants.trigger_name
            and routes.route = variants.route

)

select
    rules.candidate_id as decision_id,
    rules.sequence_id,
    rules.trigger_name,
    rules.touch,
    rules.entity_id,
    rules.session_id,
    rules.visitor_id,
    rules.customer_id,
    rules.qualifies_at,
    rules.expires_at,
    rules.hold_until,
    rules.occurred_at,
    rules.valid_from as last_event_at,
    rules.priority,
    rules.position,

    -- the rules: each true, or the reason why not
    rules.is_reachable,
    rules.has_consent,
    rules.is_not_suppressed,
    rules.has_not_purchased,
    rules.is_timely,
    rules.is_most_telling,
    walk.is_not_too_soon,
    walk.is_within_weekly_cap,
    rules.has_something_to_offer,
    (
        rules.is_reachable
        and rules.has_consent
        and rules.is_not_suppressed
        and rules.has_not_purchased
        and rules.is_timely
        and rules.is_most_telling
        and walk.is_not_too_soon
        and walk.is_within_weekly_cap
        and rules.has_something_to_offer
    ) as should_send,
    coalesce(routes.needs_review, false) or coalesce(reviews.review_reason, '') <> '' as needs_review,
    coalesce(reviews.review_reason, case when routes.needs_review then 'branch' end) as review_reason,

    -- the email
    rules.email,
    rules.first_name,
    rules.tier,
    rules.timezone,
    rules.locale,
    rules.country,
    rules.profile_at,
    routes.route,
    routes.template,
    routes.offer,
    variants.variant,
    variants.subject,
    variants.preheader,
    carts.items,
    carts.items_value,
    carts.has_left_out_items,
    rules.product,
    rules.viewed_products,
    rules.similar_products,
    rules.accessories,
    rules.category,
    rules.proof,
    rules.review,
    rules.size_guide,
    case
        when rules.loyalty_points > 0
            then {{ json_object_of({'points': 'rules.loyalty_points', 'tier': 'rules.tier'}) }}
    end as loyalty,
    rules.stock,
    rules.contents_from_position,
    rules.evidence,
    walk.sends_this_week,
    rules.intent_score,

    -- what the visit had shown
    intents.exploration_score,
    intents.abandonment_score,
    intents.pricing_seconds,
    intents.focus

from rules
inner join walk on rules.candidate_id = walk.candidate_id
left join routes on rules.candidate_id = routes.candidate_id
left join variants
    on
        rules.candidate_id = variants.candidate_id
        and variants.draw_number = 1
left join {{ ref('int_candidate_intents') }} as intents on rules.candidate_id = intents.candidate_id
left join {{ ref('int_candidate_reviews') }} as reviews on rules.candidate_id = reviews.candidate_id
left join {{ ref('int_cart_contents') }} as carts on rules.candidate_id = carts.candidate_id
