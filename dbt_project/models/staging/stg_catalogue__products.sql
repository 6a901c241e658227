-- The catalogue as the shop brought it, the newest word per product. One row per product.
with

brought as (

    select
        *,
        row_number() over (
            partition by product_id order by updated_at desc nulls last, name asc, price asc, stock asc
        ) as age_number
    from {{ source('catalogue', 'products') }}
    where product_id is not null

)

select
    product_id,
    name as product_name,
    category,
    category_url,
    price,
    currency,
    image_url,
    url,
    size_guide_url,
    stock,
    coalesce(is_hidden, false) as is_hidden,
    updated_at

from brought
where age_number = 1
