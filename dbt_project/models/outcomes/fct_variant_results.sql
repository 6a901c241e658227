-- How variants do: settled emails and their rewards. One row per slot, segment and arm.
-- Young emails count in neither: most of their clicks are still to come.
select
    slot,
    segment,
    arm,
    count(*) as settled_count,
    cast(sum(case when is_rewarded then 1 else 0 end) as bigint) as reward_count,
    cast(sum(case when is_clicked then 1 else 0 end) as bigint) as click_count,
    cast(sum(case when is_converted then 1 else 0 end) as bigint) as conversion_count

from {{ ref('fct_send_rewards') }}
where
    is_settled
    and coalesce(arm, '') <> ''
group by slot, segment, arm
