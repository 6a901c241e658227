"""What the live lane looks up, handed over after each batch."""

import dagster as dg

from orchestration.defs.resources import Kairos
from orchestration.live.content import PUBLISHED
from orchestration.publishing import publish


def _published(model: str, group: str, description: str) -> dg.AssetsDefinition:
    @dg.asset(
        key=["published", model],
        deps=[[model]],
        group_name=group,
        owners=["team:lifecycle"],
        kinds={"python", "parquet"},
        pool="warehouse",
        description=f"{description}, for the live lane; its next window imports it.",
    )
    def published(kairos: Kairos) -> dg.MaterializeResult:
        """Written anew where anything changed."""
        return dg.MaterializeResult(metadata={"rows": publish(kairos.settings(), [model])[model]})

    return published


published_content = _published("fct_product_blocks", "content", "What an email may show of each product")
published_members = _published("fct_segment_members", "segments", "Who is in which segment")
PUBLISHED_KEYS = [["published", model] for model in PUBLISHED]
