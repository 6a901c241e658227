{{ config(meta={'live_switch': 'review_rules.new_template', 'live_replan': true}) }}
-- How often the email a candidate would get has left lately. One row per candidate.
with

limits as (

    select * from {{ ref('review_rules') }} where rule_name = 'new_template' and is_enabled

)

select
    routes.candidate_id,
    routes.template,
    count(sends.message_id) as send_count

from {{ ref('int_candidate_routes') }} as routes
inner join {{ ref('int_candidate_rules') }} as rules on routes.candidate_id = rules.candidate_id
cross join limits
left join {{ ref('stg_kairos__template_sends') }} as sends
    on
        routes.template = sends.template
        and rules.qualifies_at >= sends.received_at
        and rules.qualifies_at < {{ seconds_after('sends.received_at', 'limits.within_seconds') }}
group by routes.candidate_id, routes.template
