"""What the live lane looks up, handed over after each batch."""

import dagster as dg

from orchestration.defs.resources import Kairos
from orchestration.publishing import publish


@dg.asset(
    key=["published", "fct_product_blocks"],
    deps=[["fct_product_blocks"]],
    group_name="content",
    owners=["team:lifecycle"],
    kinds={"python", "parquet"},
    pool="warehouse",
    description="What an email may show of each product, for the live lane; its next window imports it.",
)
def published_content(kairos: Kairos) -> dg.MaterializeResult:
    """Write data/published anew where anything changed."""
    rows = publish(kairos.settings())
    return dg.MaterializeResult(metadata={"products": rows["fct_product_blocks"]})
