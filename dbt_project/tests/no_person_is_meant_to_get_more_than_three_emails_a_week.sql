-- Any email and the one that is emails_per_week places before it lie more than 168 hours apart.
with

emails as (

    select
        decision_id,
        qualifies_at,
        lag(qualifies_at, {{ var('emails_per_week') }}) over (
            partition by coalesce(customer_id, visitor_id) order by qualifies_at, decision_id
        ) as earlier_at
    from {{ ref('fct_send_decisions') }}
    where should_send

)

select * from emails
where qualifies_at < {{ seconds_after('earlier_at', 7 * 24 * 3600) }}
