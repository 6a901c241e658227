-- A walk through each person's moments in order, remembering what was sent. One row per candidate.
-- Caps count emails, not moments, so whether the fourth moment is mailed depends on the three before it.
with recursive

rules as (

    select
        candidate_id,
        person_id,
        sequence_id,
        qualifies_at,
        priority,
        (
            is_reachable and has_consent and is_not_suppressed and has_not_purchased and is_timely and is_most_telling
            and has_something_to_offer
        ) as is_eligible,
        row_number() over (partition by person_id order by qualifies_at, priority, candidate_id) as moment_number
    from {{ ref('int_candidate_rules') }}

),

judged as (

    select
        rules.*,
        {{ sent_count('earlier.sent', 'rules.qualifies_at', var('email_gap_hours') * 3600, 'rules.sequence_id') }} = 0
            as is_not_too_soon,
        {{ sent_count('earlier.sent', 'rules.qualifies_at', 7 * 24 * 3600) }} < {{ var('emails_per_week') }}
            as is_within_weekly_cap,
        earlier.sent
    from rules
    inner join ({{ prior_sends('rules') }}) as earlier on rules.person_id = earlier.person_id
    where rules.moment_number = 1

    union all

    select
        rules.*,
        {{ sent_count('walked.sent', 'rules.qualifies_at', var('email_gap_hours') * 3600, 'rules.sequence_id') }} = 0,
        {{ sent_count('walked.sent', 'rules.qualifies_at', 7 * 24 * 3600) }} < {{ var('emails_per_week') }},
        walked.sent
    from (
        select
            person_id,
            moment_number,
            case
                when is_eligible and is_not_too_soon and is_within_weekly_cap
                    then {{ sent_append('sent', 'qualifies_at', 'sequence_id') }}
                else sent
            end as sent
        from judged
    ) as walked
    inner join rules
        on
            walked.person_id = rules.person_id
            and walked.moment_number + 1 = rules.moment_number

)

select
    judged.candidate_id,
    judged.is_not_too_soon,
    judged.is_within_weekly_cap,
    {{ sent_count('judged.sent', 'judged.qualifies_at', 7 * 24 * 3600) }} as sends_this_week

from judged
