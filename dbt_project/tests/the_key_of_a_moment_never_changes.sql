-- Written out once more, on purpose: another key would mail everybody again who was ever mailed.
-- A visitor who becomes known is another candidate than the stranger they were.
select
    candidate_id,
    trigger_name
from {{ ref('int_trigger_moments') }}
where candidate_id <> md5(
    length(trigger_name) || ':' || trigger_name
    || length(visitor_id) || ':' || visitor_id
    || length(entity_id) || ':' || entity_id
    || length(cast(epoch as varchar)) || ':' || epoch
    || case when customer_id is null then '7:unknown' else '5:known' end
    || case when touch > 1 then length(cast(touch as varchar)) || ':' || touch else '' end
)
