-- A branch without variants, or a trigger without branches, would plan an email nobody can render.
select
    decision_id,
    trigger_name,
    route,
    template,
    subject
from {{ ref('fct_send_decisions') }}
where
    should_send
    and (coalesce(route, '') = '' or coalesce(template, '') = '' or coalesce(subject, '') = '')
