-- What can be shown, and whether it can be sold. One row per product of the catalogue or of an event.
with

catalogue as (

    select * from {{ ref('stg_catalogue__products') }}

),

seen as (

    select
        *,
        row_number() over (partition by product_id order by position desc) as age_number
    from {{ ref('int_visitor_events') }}
    where
        event_name in ('Product Viewed', 'Product Added')
        and product_id is not null

),

products as (

    select
        coalesce(catalogue.product_id, seen.product_id) as product_id,
        coalesce(catalogue.product_id, '') <> '' as is_in_catalogue,
        coalesce(catalogue.product_name, seen.product_name) as product_name,
        catalogue.category,
        catalogue.category_url,
        coalesce(catalogue.price, seen.price) as price,
        coalesce(catalogue.currency, seen.currency) as currency,
        coalesce(catalogue.image_url, seen.image_url) as image_url,
        coalesce(catalogue.url, seen.page_url) as url,
        catalogue.size_guide_url,
        catalogue.stock,
        coalesce(catalogue.is_hidden, false) as is_hidden
    from catalogue
    full outer join seen
        on
            catalogue.product_id = seen.product_id
            and seen.age_number = 1
    where coalesce(seen.age_number, 1) = 1

)

select
    *,
    not is_hidden and coalesce(price, 0) > 0 and coalesce(stock, 1) > 0 as is_sellable

from products
