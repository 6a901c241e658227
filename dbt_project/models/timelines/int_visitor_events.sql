{{ config(materialized='table') }}
-- A visitor's events with what came before and after. One row per event.
with

events as (

    select * from {{ ref('stg_landing__events') }}

),

ordered as (

    select
        *,
        lag(received_at) over (partition by visitor_id order by position) as previous_at,
        lead(received_at) over (partition by visitor_id order by position) as next_at
    from events

),

gaps as (

    select
        *,
        case
            when received_at <= {{ seconds_after('previous_at', var('episode_gap_hours') * 3600) }} then 0 else 1
        end as starts_episode,
        case
            when received_at <= {{ seconds_after('previous_at', var('session_gap_minutes') * 60) }} then 0 else 1
        end as starts_session
    from ordered

),

numbered as (

    select
        *,
        sum(starts_episode) over (
            partition by visitor_id order by position rows unbounded preceding
        ) as episode_number,
        sum(starts_session) over (
            partition by visitor_id order by position rows unbounded preceding
        ) as session_number
    from gaps

)

select
    *,
    {{ last_known('user_id', 'visitor_id, episode_number') }} as customer_id,
    coalesce(page_view_id, {{ last_known('page_view_id', 'visitor_id, episode_number') }}) as current_page_view_id,
    coalesce(
        context_session_id,
        first_value(message_id) over (partition by visitor_id, session_number order by position)
    ) as session_id

from numbered
