-- What people did, one row per event, in order of arrival; a repeated message counts once.
with

landed as (

    select
        position,
        message_id,
        type,
        event,
        user_id,
        visitor_id,
        occurred_at,
        received_at,
        properties,
        context,
        row_number() over (partition by visitor_id, source, message_id order by position) as copy_number
    from {{ of_touched('landing', 'events') }}
    where source <> 'kairos'

)

select
    -- keys
    position,
    message_id,
    visitor_id,
    user_id,

    -- what
    event as event_name,

    -- when: order and silence go by arrival, lateness by the sender's clock
    occurred_at,
    received_at,

    -- page
    coalesce(
        {{ json_text('properties', 'page_view_id') }},
        case when type in ('page', 'screen') then message_id end
    ) as page_view_id,
    coalesce({{ json_text('properties', 'url') }}, {{ json_text('context', 'page.url') }}) as page_url,
    coalesce({{ json_text('properties', 'title') }}, {{ json_text('context', 'page.title') }}) as page_title,
    (
        event = 'Product Viewed'
        or {{ json_text('properties', 'page_type') }} = 'product'
        or {{ json_text('properties', 'path') }} like '%/product%'
        or {{ json_text('context', 'page.path') }} like '%/product%'
    ) as is_product_page,
    {{ json_number('properties', 'engaged_seconds') }} as engaged_seconds,
    {{ json_number('properties', 'scroll_percent') }} as scroll_percent,
    {{ json_number('properties', 'click_count') }} as click_count,
    {{ json_number('properties', 'spec_count') }} as spec_count,
    {{ json_text('properties', 'feature') }} as feature_name,

    -- product and cart
    {{ json_text('properties', 'product_id') }} as product_id,
    {{ json_text('properties', 'name') }} as product_name,
    {{ json_text('properties', 'image_url') }} as image_url,
    {{ json_text('properties', 'currency') }} as currency,
    {{ json_number('properties', 'price') }} as price,
    greatest(coalesce({{ json_number('properties', 'quantity') }}, 1), 0) as quantity,
    case when event = 'Cart Updated' then {{ products_quantity('properties') }} end as products_quantity,
    case when event = 'Cart Updated' then {{ products_value('properties') }} end as products_value,

    -- session
    {{ json_text('context', 'sessionId') }} as context_session_id,
    lower(coalesce({{ json_text('context', 'device.type') }}, {{ json_text('context', 'os.name') }})) as device_type,

    -- as sent, for the lines of a replaced cart
    case when event = 'Cart Updated' then properties end as properties

from landed
where copy_number = 1
