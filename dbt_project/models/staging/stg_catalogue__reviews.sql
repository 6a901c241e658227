-- What customers wrote about products. One row per review.
select
    review_id,
    product_id,
    rating,
    trim(quote) as quote,
    author,
    coalesce(has_consent_to_quote, false) as has_consent_to_quote,
    written_at

from {{ source('catalogue', 'reviews') }}
