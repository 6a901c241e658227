-- Was it looking around or leaving? Two scores with their parts, and what the next words should be about.
-- One row per visitor and session.
with

parts as (

    select
        *,
        {{ intent_part('breadth', 'page_count') }} as breadth_part,
        {{ intent_part('depth', 'scroll_percent') }} as depth_part,
        {{ intent_part('study', 'study_count') }} as study_part,
        {{ intent_part('revisits', 'earlier_visit_count') }} as revisits_part,
        {{ intent_part('leisure', 'case when local_hour between 19 and 23 then 1 else 0 end') }} as leisure_part,
        {{ intent_part('cart', 'case when has_cart_addition and not has_order then 1 else 0 end') }} as cart_part,
        {{ intent_part('checkout', 'case when has_checkout and not has_order then 1 else 0 end') }} as checkout_part,
        {{ intent_part('path', 'case when has_order then 0 else checkout_page_count end') }} as path_part,
        {{ intent_part('exit', 'case when has_left_at_checkout and not has_order then 1 else 0 end') }} as exit_part
    from {{ ref('int_session_figures') }}

),

scored as (

    select
        *,
        {{ intent_score('exploration', ['breadth', 'depth', 'study', 'revisits', 'leisure']) }} as exploration_score,
        {{ intent_score('abandonment', ['cart', 'checkout', 'path', 'exit']) }} as abandonment_score
    from parts

)

select
    session_key,
    visitor_id,
    session_id,
    person_id,
    customer_id,
    started_at,
    settled_at,

    -- looking around
    exploration_score,
    breadth_part,
    depth_part,
    study_part,
    revisits_part,
    leisure_part,

    -- leaving what was wanted
    abandonment_score,
    cart_part,
    checkout_part,
    path_part,
    exit_part,

    case
        when has_order then 'buying'
        when
            abandonment_score >= {{ choice('session_intents', 'min_abandonment') }}
            and abandonment_score >= exploration_score
            then 'abandoning'
        when exploration_score >= {{ choice('session_intents', 'min_exploration') }} then 'exploring'
        else 'passing'
    end as intent,

    -- what the next words should be about
    pricing_seconds,
    case
        when pricing_seconds > {{ choice('session_intents', 'min_pricing_seconds') }} then 'proof'
        else 'features'
    end as focus,
    {{ whole('pricing_seconds') }} || ' visible seconds on ' || {{ whole('pricing_count') }} || ' pricing pages'
        as focus_reason

from scored
