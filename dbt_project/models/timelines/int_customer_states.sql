-- What was known of a customer, and from when to when. One row per change.
with

told as (

    select * from {{ ref('stg_landing__traits') }}

)

select
    customer_id,
    {{ last_known('email', 'customer_id') }} as email,
    coalesce({{ last_known('has_consent', 'customer_id') }}, false) as has_consent,
    {{ last_known('first_name', 'customer_id') }} as first_name,
    {{ last_known('tier', 'customer_id') }} as tier,
    {{ last_known('loyalty_points', 'customer_id') }} as loyalty_points,
    {{ last_known('timezone', 'customer_id') }} as timezone,
    {{ last_known('locale', 'customer_id') }} as locale,
    {{ last_known('country', 'customer_id') }} as country,
    position,
    received_at as valid_from,
    lead(received_at) over (partition by customer_id order by position) as valid_to

from told
