-- Seen from the words people gave: at that instant the newest one about consent was yes, said by a server.
with

words as (

    select
        decisions.decision_id,
        traits.has_consent,
        row_number() over (partition by decisions.decision_id order by traits.position desc) as age_number
    from {{ ref('fct_send_decisions') }} as decisions
    inner join {{ ref('stg_landing__traits') }} as traits
        on
            decisions.customer_id = traits.customer_id
            and decisions.qualifies_at >= traits.received_at
    where traits.has_consent is not null

)

select decisions.decision_id
from {{ ref('fct_send_decisions') }} as decisions
left join words
    on
        decisions.decision_id = words.decision_id
        and words.age_number = 1
where
    decisions.should_send
    and (coalesce(decisions.email, '') = '' or not coalesce(words.has_consent, false))
