{{ config(meta={'live_switch': 'review_rules.new_template'}) }}
-- How often the email a candidate would get has left lately. One row per candidate.
with

limits as (

    select * from {{ ref('review_rules') }} where rule_name = 'new_template' and is_enabled

),

branches as (

    select
        rules.candidate_id,
        rules.qualifies_at,
        routes.template,
        row_number() over (partition by rules.candidate_id order by routes.route_rank) as branch_number
    from {{ ref('int_candidate_rules') }} as rules
    inner join {{ ref('routes') }} as routes
        on
            rules.trigger_name = routes.trigger_name
            and routes.route = coalesce(rules.route, routes.route)

)

select
    branches.candidate_id,
    branches.template,
    count(receipts.message_id) as send_count

from branches
cross join limits
left join {{ ref('stg_kairos__receipts') }} as receipts
    on
        branches.template = receipts.template
        and receipts.outcome = 'sent'
        and branches.qualifies_at >= receipts.received_at
        and branches.qualifies_at < {{ seconds_after('receipts.received_at', 'limits.within_seconds') }}
where branches.branch_number = 1
group by branches.candidate_id, branches.template
