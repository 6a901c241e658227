-- The live lane forgets whoever was away for episode_gap_hours; beyond that the lanes would hold different emails.
select rule_name
from {{ ref('review_rules') }}
where within_seconds > {{ var('episode_gap_hours') }} * 3600
