-- Who must not be mailed any more, one row per change, as our own ledger reported it.
select
    position,
    user_id as customer_id,
    received_at,
    event = 'Suppression Added' as is_suppressed,
    {{ json_text('properties', 'reason') }} as reason

from {{ of_touched('landing', 'events') }}
where
    {{ only_touched_customers('user_id') }}
    and source = 'kairos'
    and event in ('Suppression Added', 'Suppression Lifted')
