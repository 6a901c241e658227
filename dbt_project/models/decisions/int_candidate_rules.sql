-- Each candidate beside what was known of the person at that instant, and what can be shown. One row per candidate.
with

candidates as (

    select * from {{ ref('fct_trigger_candidates') }}

),

suppressions as (

    select
        candidates.candidate_id,
        suppressions.is_suppressed,
        row_number() over (partition by candidates.candidate_id order by suppressions.position desc) as age_number
    from candidates
    inner join {{ ref('stg_kairos__suppressions') }} as suppressions
        on
            candidates.customer_id = suppressions.customer_id
            and candidates.qualifies_at >= suppressions.received_at
            -- A wish about another trigger, or one that has run out, says nothing here.
            and coalesce(candidates.trigger_name, '') = coalesce(suppressions.trigger_name, candidates.trigger_name, '')
            and candidates.qualifies_at < coalesce(suppressions.suppressed_until, {{ forever() }})

),

orders as (

    select
        visitor_id,
        user_id,
        received_at
    from {{ ref('int_visitor_events') }}
    where event_name = 'Order Completed'

),

buyers as (

    select candidates.candidate_id
    from candidates
    inner join orders on candidates.visitor_id = orders.visitor_id
    where orders.received_at between candidates.started_at and candidates.qualifies_at

    union

    select candidates.candidate_id
    from candidates
    inner join orders on candidates.customer_id = orders.user_id
    where orders.received_at between candidates.started_at and candidates.qualifies_at

),

-- A moment of higher priority that is still ripening goes first: the filled cart before the scroll.
-- So does the next email of a sequence the person is in, on whichever device it began.
awaited as (

    {% for key in ['visitor_id', 'customer_id'] %}
    select candidates.candidate_id
    from candidates
    inner join {{ ref('int_trigger_moments') }} as moments
        on
            candidates.{{ key }} = moments.{{ key }}
            {%- if key == 'customer_id' %}
            and moments.touch > 1
            {%- endif %}
            and candidates.priority > moments.priority
            and candidates.qualifies_at >= moments.valid_from
            and candidates.qualifies_at < moments.qualifies_at
            and candidates.qualifies_at < moments.valid_to
    left join {{ decided_candidates() }} as fired
        on
            moments.candidate_id = fired.candidate_id
            and candidates.qualifies_at >= fired.qualifies_at
    where coalesce(fired.candidate_id, '') = ''
    {% if not loop.last %}
    union
    {% endif %}
    {% endfor %}

)

select
    candidates.*,
    coalesce(candidates.customer_id, candidates.visitor_id) as person_id,
    customers.email,
    customers.first_name,
    customers.tier,
    customers.loyalty_points,
    customers.timezone,
    customers.locale,
    customers.country,
    customers.valid_from as profile_at,
    contents.product,
    contents.viewed_products,
    contents.similar_products,
    contents.accessories,
    contents.category,
    contents.proof,
    contents.review,
    contents.size_guide,
    contents.stock,
    coalesce(customers.email, '') <> '' as is_reachable,
    coalesce(customers.has_consent, false) as has_consent,
    not coalesce(suppressions.is_suppressed, false) as is_not_suppressed,
    coalesce(buyers.candidate_id, '') = '' as has_not_purchased,
    candidates.valid_from <= {{ seconds_after('candidates.occurred_at', var('late_event_minutes') * 60) }} as is_timely,
    coalesce(contents.has_main_product, true) as has_something_to_offer,
    coalesce(awaited.candidate_id, '') = '' as is_most_telling

from candidates
left join {{ ref('int_customer_states') }} as customers
    on
        candidates.customer_id = customers.customer_id
        and candidates.qualifies_at >= customers.valid_from
        and candidates.qualifies_at < coalesce(customers.valid_to, {{ forever() }})
left join suppressions
    on
        candidates.candidate_id = suppressions.candidate_id
        and suppressions.age_number = 1
left join buyers on candidates.candidate_id = buyers.candidate_id
left join awaited on candidates.candidate_id = awaited.candidate_id
left join {{ ref('int_candidate_content') }} as contents on candidates.candidate_id = contents.candidate_id
