{{ config(materialized='table', meta={'live_needs': ['published.fct_segment_members'], 'live_replan': true}) }}
-- In which segments a candidate's customer is, as of the last batch. One row per candidate and segment.
select
    candidates.candidate_id,
    members.segment_name

from {{ ref('fct_trigger_candidates') }} as candidates
inner join {{ published('fct_segment_members') }} as members on candidates.customer_id = members.customer_id
