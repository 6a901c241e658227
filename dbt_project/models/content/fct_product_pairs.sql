-- What goes with what: similar (same category, viewed in the same visits) and accessory (another category, bought
-- together). One row per product, kind and other product.
with

products as (

    select * from {{ ref('dim_products') }}
    where is_sellable

),

interests as (

    select * from {{ ref('int_product_interests') }}

),

visits as (

    select
        product_id,
        kind,
        count(*) as visit_count
    from interests
    group by product_id, kind

),

together as (

    select
        mine.product_id,
        mine.kind,
        other.product_id as other_product_id,
        count(*) as support
    from interests as mine
    inner join interests as other
        on
            mine.visitor_id = other.visitor_id
            and mine.session_id = other.session_id
            and mine.kind = other.kind
            and mine.product_id <> other.product_id
    group by mine.product_id, mine.kind, other.product_id
    having count(*) >= {{ var('pair_min_sessions') }}

),

-- Before anything is known, the most viewed things of a category are similar.
leaders as (

    select
        products.product_id,
        products.category,
        row_number() over (
            partition by products.category order by coalesce(visits.visit_count, 0) desc, products.product_id asc
        ) as leader_rank
    from products
    left join visits
        on
            products.product_id = visits.product_id
            and visits.kind = 'similar'

),

pairs as (

    select
        product_id,
        other_product_id,
        kind
    from together

    union

    select
        mine.product_id,
        leaders.product_id as other_product_id,
        'similar' as kind
    from {{ ref('dim_products') }} as mine
    inner join leaders
        on
            mine.category = leaders.category
            and mine.product_id <> leaders.product_id
            and leaders.leader_rank <= 8

),

scored as (

    select
        pairs.*,
        coalesce(together.support, 0) as support,
        coalesce(together.support / sqrt(my_visits.visit_count * other_visits.visit_count), 0) as cosine
    from pairs
    inner join {{ ref('dim_products') }} as mine on pairs.product_id = mine.product_id
    inner join products as other on pairs.other_product_id = other.product_id
    left join together
        on
            pairs.product_id = together.product_id
            and pairs.other_product_id = together.other_product_id
            and pairs.kind = together.kind
    left join visits as my_visits
        on
            pairs.product_id = my_visits.product_id
            and pairs.kind = my_visits.kind
    left join visits as other_visits
        on
            pairs.other_product_id = other_visits.product_id
            and pairs.kind = other_visits.kind
    where
        (pairs.kind = 'similar' and mine.category = other.category)
        or (pairs.kind = 'accessory' and mine.category <> other.category)

),

ranked as (

    select
        *,
        row_number() over (
            partition by product_id, kind order by cosine desc, support desc, other_product_id asc
        ) as pair_rank
    from scored

)

select
    {{ stable_key(['product_id', 'kind', 'other_product_id']) }} as pair_key,
    *

from ranked
where pair_rank <= 8
