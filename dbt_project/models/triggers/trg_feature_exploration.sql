{{ config(meta={'live_needs': ['Feature Used']}) }}
-- Someone tried several features within minutes. One row per interaction that completed the number.
with

states as (

    select * from {{ ref('int_feature_states') }}

),

threshold as (

    select * from {{ ref('thresholds') }} where trigger_name = 'feature_exploration' and is_enabled

)

select
    states.visitor_id,
    states.customer_id,
    states.session_id,
    states.session_id as entity_id,
    'feature_exploration' as trigger_name,
    threshold.priority,
    threshold.epoch,
    cast(null as varchar) as route,
    states.explored_from as started_at,
    states.occurred_at,
    states.valid_from,
    cast(null as timestamp) as valid_to,
    {{ seconds_after('states.valid_from', 'threshold.min_seconds') }} as qualifies_at,
    threshold.expires_after_minutes,
    threshold.hold_minutes,
    cast(states.interaction_count as double) as intent_score,
    states.position,
    cast(null as bigint) as contents_from_position,
    {{ json_object_of({
        'interaction_count': 'states.interaction_count',
        'features': 'states.feature_names',
        'page_url': 'states.page_url',
        'page_title': 'states.page_title',
        'product_id': 'states.product_id',
        'device_type': 'states.device_type',
        'last_event_id': 'states.message_id',
        'min_interactions': 'threshold.min_interactions',
        'within_seconds': 'threshold.within_seconds'
    }) }} as evidence

from states
cross join threshold
where states.interaction_count >= threshold.min_interactions
