{{ config(meta={'live_needs': ['published.fct_product_blocks'], 'live_replan': true}) }}
-- What an email can show beside what it is about. One row per candidate.
with

candidates as (

    select
        candidates.candidate_id,
        candidates.visitor_id,
        candidates.session_id,
        candidates.position,
        coalesce(carts.main_product_id, {{ json_text('candidates.evidence', 'product_id') }}) as product_id,
        carts.has_main_product
    from {{ ref('fct_trigger_candidates') }} as candidates
    left join {{ ref('int_cart_contents') }} as carts on candidates.candidate_id = carts.candidate_id

),

-- The products and size guides of the visit so far.
looks as (

    select
        candidates.candidate_id,
        events.product_id,
        max(events.position) as last_position,
        max(
            case when lower(coalesce(events.feature_name, events.event_name)) like '%size%guide%' then 1 else 0 end
        ) as is_size_guide
    from candidates
    inner join {{ ref('int_visitor_events') }} as events
        on
            candidates.visitor_id = events.visitor_id
            and candidates.session_id = events.session_id
            and candidates.position >= events.position
    where
        events.is_product_page
        or lower(coalesce(events.feature_name, events.event_name)) like '%size%guide%'
    group by candidates.candidate_id, events.product_id

),

visits as (

    select
        looks.candidate_id,
        {{ json_list_of('blocks.card', 'looks.last_position desc', "blocks.card is not null") }} as viewed_products,
        max(looks.is_size_guide) as has_seen_size_guide
    from looks
    left join {{ published('fct_product_blocks') }} as blocks on looks.product_id = blocks.product_id
    group by looks.candidate_id

)

select
    candidates.candidate_id,
    coalesce(candidates.has_main_product, not blocks.is_withdrawn, true) as has_main_product,
    blocks.card as product,
    visits.viewed_products,
    blocks.similar_products,
    blocks.accessories,
    blocks.category,
    blocks.proof,
    blocks.review,
    case when visits.has_seen_size_guide = 1 then blocks.size_guide end as size_guide,
    blocks.stock

from candidates
left join visits on candidates.candidate_id = visits.candidate_id
left join {{ published('fct_product_blocks') }} as blocks on candidates.product_id = blocks.product_id
