{{ config(meta={'live_needs': ['Product Added', 'Cart Updated'], 'live_replan': true}) }}
-- What lay in the cart when it was left, for the email. One row per cart candidate.
with

candidates as (

    select * from {{ ref('fct_trigger_candidates') }}
    where contents_from_position is not null

),

changes as (

    select
        candidates.candidate_id,
        events.*,
        max(case when events.event_name = 'Cart Updated' then events.position end) over (
            partition by candidates.candidate_id
        ) as replaced_at_position
    from candidates
    inner join {{ ref('int_visitor_events') }} as events
        on
            candidates.visitor_id = events.visitor_id
            and candidates.contents_from_position <= events.position
            and candidates.qualifies_at >= events.received_at
    where events.event_name in ('Product Added', 'Product Removed', 'Cart Updated')

),

lines as (

    select
        candidate_id,
        position,
        product_id,
        product_name,
        price,
        image_url,
        page_url as url,
        case when event_name = 'Product Removed' then -quantity else quantity end as quantity
    from changes
    where
        event_name <> 'Cart Updated'
        and position > coalesce(replaced_at_position, -1)

    union all

    select
        candidate_id,
        position,
        {{ json_text('product', 'product_id') }} as product_id,
        {{ json_text('product', 'name') }} as product_name,
        {{ json_number('product', 'price') }} as price,
        {{ json_text('product', 'image_url') }} as image_url,
        {{ json_text('product', 'url') }} as url,
        coalesce({{ json_number('product', 'quantity') }}, 1) as quantity
    from (
        select
            candidate_id,
            position,
            {{ each_product('properties') }} as product
        from changes
        where position = replaced_at_position
    ) as replaced

),

pieces as (

    select
        candidate_id,
        coalesce(product_id, product_name, '') as item_key,
        min(position) as first_position,
        max(product_id) as product_id,
        max(product_name) as product_name,
        max(price) as price,
        max(image_url) as image_url,
        max(url) as url,
        sum(quantity) as quantity
    from lines
    group by candidate_id, coalesce(product_id, product_name, '')

),

-- What is known to be sold out or hidden is not shown; the dearest of the rest stands for the cart.
items as (

    select
        pieces.*,
        not coalesce(blocks.is_withdrawn, false) as is_offered,
        row_number() over (
            partition by pieces.candidate_id
            order by coalesce(blocks.is_withdrawn, false) asc, pieces.price desc nulls last, pieces.item_key asc
        ) as item_rank
    from pieces
    left join {{ published('fct_product_blocks') }} as blocks on pieces.product_id = blocks.product_id
    where pieces.quantity > 0

)

select
    candidate_id,
    {{ json_list_of(json_object_of({
        'product_id': 'product_id',
        'name': 'product_name',
        'price': 'price',
        'quantity': 'cast(quantity as integer)',
        'image_url': 'image_url',
        'url': 'url'
    }), 'first_position, item_key', 'is_offered') }} as items,
    sum(case when is_offered then price * quantity end) as items_value,
    min(case when is_offered then 1 else 0 end) = 0 as has_left_out_items,
    max(case when is_offered and item_rank = 1 then product_id end) as main_product_id,
    max(case when is_offered then 1 else 0 end) = 1 as has_main_product

from items
group by candidate_id
