-- A moment fires at the instant the state had lasted long enough, and only if it still stood then.
select candidates.candidate_id
from {{ ref('fct_trigger_candidates') }} as candidates
inner join {{ ref('int_trigger_moments') }} as moments
    on
        candidates.candidate_id = moments.candidate_id
        and candidates.position = moments.position
where
    candidates.qualifies_at < moments.valid_from
    or candidates.qualifies_at >= moments.valid_to
