-- Nobody who was considered disappears: refused ones stay in the table with their reason.
select candidates.candidate_id
from {{ ref('fct_trigger_candidates') }} as candidates
left join {{ ref('fct_send_decisions') }} as decisions on candidates.candidate_id = decisions.decision_id
where coalesce(decisions.decision_id, '') = ''
