-- Where and with what each event was made. One row per event; a model of its own so that the live lane stays lean.
select
    position,
    visitor_id,
    received_at,
    {{ json_text('context', 'locale') }} as locale,
    {{ json_text('context', 'timezone') }} as timezone,
    upper({{ json_text('context', 'location.country') }}) as country,
    case
        when type in ('page', 'screen')
            then coalesce(
                {{ json_text('properties', 'path') }},
                {{ json_text('context', 'page.path') }},
                {{ json_text('properties', 'name') }},
                event
            )
    end as page_path,
    coalesce({{ json_text('properties', 'path') }}, {{ json_text('context', 'page.path') }}) as path,
    lower({{ json_text('properties', 'page_type') }}) as page_type,
    case when type = 'screen' or {{ json_text('context', 'app.name') }} <> '' then 'app' else 'browser' end as client

from {{ of_touched('landing', 'events') }}
where source <> 'kairos'
