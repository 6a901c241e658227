-- The best review an email may quote. One row per product that has one.
with

quotable as (

    select
        *,
        row_number() over (
            partition by product_id order by rating desc, written_at desc nulls last, review_id asc
        ) as review_number
    from {{ ref('stg_catalogue__reviews') }}
    where
        has_consent_to_quote
        and rating >= 4
        and coalesce(quote, '') <> ''
        and coalesce(author, '') <> ''

)

select
    product_id,
    review_id,
    rating,
    quote,
    author

from quotable
where review_number = 1
