-- A mistake in the seeds, found before the first email of that branch is due.
select
    thresholds.trigger_name,
    routes.route,
    variants.variant
from {{ ref('thresholds') }} as thresholds
left join {{ ref('routes') }} as routes on thresholds.trigger_name = routes.trigger_name
left join {{ ref('variants') }} as variants
    on
        routes.trigger_name = variants.trigger_name
        and routes.route = variants.route
where coalesce(routes.route, '') = '' or coalesce(variants.variant, '') = ''
