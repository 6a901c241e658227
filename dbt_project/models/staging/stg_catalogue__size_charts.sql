-- How sizes fall, as the shop brought it. One row per product and size.
with

brought as (

    select
        *,
        row_number() over (partition by product_id, size order by size_rank asc nulls last, note asc) as copy_number
    from {{ source('catalogue', 'size_charts') }}
    where
        product_id is not null
        and coalesce(size, '') <> ''
        and coalesce(note, '') <> ''

)

select
    product_id,
    size,
    note,
    coalesce(size_rank, 0) as size_rank

from brought
where copy_number = 1
