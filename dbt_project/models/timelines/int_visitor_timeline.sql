-- Which episode, session and page each event belongs to, and who it was. One row per event.
-- Only the few columns this takes: windows carry all they are given, and this runs in every micro-batch.
with

events as (

    select
        position,
        message_id,
        visitor_id,
        user_id,
        received_at,
        page_view_id,
        context_session_id
    from {{ ref('stg_landing__events') }}

),

gaps as (

    select
        *,
        lead(received_at) over visitor as next_at,
        case
            when received_at <= {{ seconds_after('lag(received_at) over visitor', var('episode_gap_hours') * 3600) }}
                then 0
            else 1
        end as starts_episode,
        case
            when received_at <= {{ seconds_after('lag(received_at) over visitor', var('session_gap_minutes') * 60) }}
                then 0
            else 1
        end as starts_session
    from events
    window visitor as (partition by visitor_id order by position)

),

numbered as (

    select
        *,
        sum(starts_episode) over visitor as episode_number,
        sum(starts_session) over visitor as session_number
    from gaps
    window visitor as (partition by visitor_id order by position rows unbounded preceding)

)

select
    position,
    next_at,
    episode_number,
    {{ last_known('user_id', 'visitor_id, episode_number') }} as customer_id,
    coalesce(page_view_id, {{ last_known('page_view_id', 'visitor_id, episode_number') }}) as current_page_view_id,
    coalesce(
        context_session_id,
        first_value(message_id) over (partition by visitor_id, session_number order by position)
    ) as session_id

from numbered
