-- How many features a visitor had tried within the last minutes. One row per feature interaction.
with

uses as (

    select * from {{ ref('int_visitor_events') }}
    where event_name = 'Feature Used'

),

threshold as (

    select * from {{ ref('thresholds') }} where trigger_name = 'feature_exploration'

)

select
    uses.visitor_id,
    uses.customer_id,
    uses.session_id,
    uses.position,
    uses.message_id,
    uses.occurred_at,
    uses.page_url,
    uses.page_title,
    uses.product_id,
    uses.device_type,
    uses.received_at as valid_from,
    min(earlier.received_at) as explored_from,
    count(*) as interaction_count,
    {{ json_text_list('earlier.feature_name', 'earlier.feature_name') }} as feature_names

from uses
cross join threshold
inner join uses as earlier
    on
        uses.visitor_id = earlier.visitor_id
        and uses.session_id = earlier.session_id
        and uses.position >= earlier.position
        and uses.received_at <= {{ seconds_after('earlier.received_at', 'threshold.within_seconds') }}
group by
    uses.visitor_id,
    uses.customer_id,
    uses.session_id,
    uses.position,
    uses.message_id,
    uses.occurred_at,
    uses.page_url,
    uses.page_title,
    uses.product_id,
    uses.device_type,
    uses.received_at
