-- What we were told about a person, one row per identify call, in order of arrival.
-- The customer base comes first (position 0), then every call since.
-- A browser's key is public, so it may set neither consent nor points nor, unless allowed, the address.
with

landed as (

    select * from {{ of_touched('landing', 'events') }}
    where
        {{ only_touched_customers('user_id') }}
        and type = 'identify'
        and user_id is not null

)

select
    cast(0 as bigint) as position,
    customer_id,
    coalesce(valid_from, cast('1970-01-01 00:00:00' as timestamp)) as received_at,
    lower(email) as email,
    has_consent,
    first_name,
    lower(tier) as tier,
    loyalty_points,
    timezone,
    locale,
    country

from {{ of_touched('profiles', 'customers') }}

union all

select
    position,
    user_id as customer_id,
    received_at,
    case
        when trust = 'server' or {{ var('trust_browser_email') }} then lower({{ json_text('traits', 'email') }})
    end as email,
    case when trust = 'server' then {{ json_flag('traits', 'consent') }} end as has_consent,
    coalesce({{ json_text('traits', 'firstName') }}, {{ json_text('traits', 'first_name') }}) as first_name,
    lower({{ json_text('traits', 'tier') }}) as tier,
    case
        when trust = 'server' then cast(coalesce(
            {{ json_number('traits', 'loyalty_points') }}, {{ json_number('traits', 'loyaltyPoints') }}
        ) as bigint)
    end as loyalty_points,
    {{ json_text('traits', 'timezone') }} as timezone,
    {{ json_text('traits', 'locale') }} as locale,
    coalesce({{ json_text('traits', 'country') }}, {{ json_text('traits', 'address.country') }}) as country

from landed
