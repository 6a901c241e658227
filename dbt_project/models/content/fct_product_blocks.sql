-- What an email may show about a product, whole, so that the live lane only looks it up. One row per product.
with

products as (

    select
        *,
        case
            when is_sellable and coalesce(product_name, '') <> '' then {{ json_object_of({
                'product_id': 'product_id',
                'name': 'product_name',
                'price': 'price',
                'currency': 'currency',
                'image_url': 'image_url',
                'url': 'url'
            }) }}
        end as card
    from {{ ref('dim_products') }}

),

neighbours as (

    select
        pairs.product_id,
        {{ json_list_of('products.card', 'pairs.pair_rank', "pairs.kind = 'similar'") }} as similar_products,
        {{ json_list_of('products.card', 'pairs.pair_rank', "pairs.kind = 'accessory'") }} as accessories
    from {{ ref('fct_product_pairs') }} as pairs
    inner join products
        on
            pairs.other_product_id = products.product_id
            and coalesce(products.product_name, '') <> ''
    group by pairs.product_id

),

sizes as (

    select
        product_id,
        {{ json_list_of(json_object_of({'size': 'size', 'note': 'note'}), 'size_rank, size') }} as comparison
    from {{ ref('stg_catalogue__size_charts') }}
    group by product_id

)

select
    products.product_id,
    products.is_in_catalogue and not products.is_sellable as is_withdrawn,
    products.card,
    neighbours.similar_products,
    neighbours.accessories,
    case
        when products.category <> ''
            then {{ json_object_of({'name': 'products.category', 'url': 'products.category_url'}) }}
    end as category,
    case when proofs.sample > 0 then {{ json_object_of({
        'percent': 'proofs.percent',
        'sample': 'proofs.sample',
        'product_name': 'products.product_name',
        'since_days': 'proofs.since_days'
    }) }} end as proof,
    case when reviews.rating > 0 then {{ json_object_of({
        'quote': 'reviews.quote',
        'author': 'reviews.author',
        'rating': 'reviews.rating',
        'product_name': 'products.product_name'
    }) }} end as review,
    case when coalesce(products.size_guide_url, sizes.product_id) <> '' then {{ json_object_of({
        'url': 'products.size_guide_url',
        'product_name': 'products.product_name',
        'comparison': "coalesce(sizes.comparison, cast('[]' as json))"
    }) }} end as size_guide,
    case
        when products.stock between 1 and {{ var('few_left') }}
            then {{ json_object_of({'product_name': 'products.product_name', 'left': 'products.stock'}) }}
    end as stock

from products
left join neighbours on products.product_id = neighbours.product_id
left join sizes on products.product_id = sizes.product_id
left join {{ ref('fct_product_proofs') }} as proofs on products.product_id = proofs.product_id
left join {{ ref('fct_product_reviews') }} as reviews on products.product_id = reviews.product_id
