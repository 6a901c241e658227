-- A discount of nothing, of more than everything, or for no time at all is a typing error.
select offer
from {{ ref('offers') }}
where not (percent between 1 and 100 and valid_hours > 0)
