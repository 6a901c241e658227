"""What the shop's own traffic says about thresholds and intent: proposals and a score, nothing that applies itself."""

import dagster as dg

from orchestration.calibration.proposals import propose
from orchestration.defs.resources import Kairos
from orchestration.intent.publish import renew


@dg.asset(
    key=["outcomes", "threshold_proposals"],
    deps=[
        "trg_cart_abandonment",
        "trg_time_on_page",
        "trg_page_depth",
        "trg_feature_exploration",
        "fct_orders",
    ],
    group_name="outcomes",
    owners=["team:lifecycle"],
    kinds={"python", "duckdb"},
    pool="warehouse",
    description="The threshold that each trigger's own traffic recommends, beside the one in force; anew once a day, and a person applies it.",
)
def threshold_proposals(kairos: Kairos) -> dg.MaterializeResult:
    """Reports with plots lie in data/calibration; `kairos calibrate` prints the patch."""
    settings = kairos.settings()
    folder = settings.data / "calibration"
    found = propose(settings.warehouse, settings.dbt_project / "seeds", folder)
    return dg.MaterializeResult(
        metadata={
            "recommended": found.recommended,
            "proposals": dg.MetadataValue.md(found.table),
            "as_of": str(found.as_of),
            "reports": dg.MetadataValue.path(str(folder)),
        }
    )


@dg.asset(
    key=["outcomes", "intent_model"],
    deps=["int_intent_features"],
    group_name="outcomes",
    owners=["team:lifecycle"],
    kinds={"python", "scikitlearn", "parquet"},
    pool="warehouse",
    description="Weights that say how likely a visit ends with an order without an email; anew once a day.",
)
def intent_model(kairos: Kairos) -> dg.MaterializeResult:
    """Where visits are too few, the metadata say so and the last model stays."""
    settings = kairos.settings()
    gap = settings.project_vars()["session_gap_minutes"] * 60
    done = renew(settings.warehouse, settings.published, gap)
    return dg.MaterializeResult(
        metadata={
            "visits": done.visits, "buyers": done.buyers, "weights": done.terms,
            "standing": done.refusal or ("of today already" if done.is_fresh else "published"),
        }
    )  # fmt: skip
