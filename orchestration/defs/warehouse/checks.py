"""Do both lanes agree?"""

import dagster as dg

from orchestration.defs.resources import Kairos
from orchestration.lanes import compare_lanes


@dg.asset_check(
    asset=dg.AssetKey(["fct_send_decisions"]),
    description="What the live lane decided is what the models decide over all history.",
)
def live_decisions_match_warehouse(kairos: Kairos) -> dg.AssetCheckResult:
    """Compare decision by decision, rule by rule, for the version of the models that runs."""
    found = compare_lanes(kairos.settings())
    return dg.AssetCheckResult(passed=found.agree, metadata=found.as_metadata())
