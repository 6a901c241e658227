-- Whose a browser or app is, if only one customer ever used it. One row per visitor that somebody identified on.
select
    visitor_id,
    max(user_id) as customer_id

from {{ ref('stg_landing__events') }}
where user_id is not null
group by visitor_id
having min(user_id) = max(user_id)
