"""The live lane as assets: events land, candidates ripen, decisions fall, emails leave."""

from collections.abc import Iterator

import dagster as dg

from orchestration.defs.live.reporting import check_results, materializations
from orchestration.defs.resources import Kairos
from orchestration.live.statistics import Statistics
from orchestration.live.window import Window

EVENTS = dg.AssetKey(["landing", "events"])
CANDIDATES = dg.AssetKey(["live", "trigger_candidates"])
DECISIONS = dg.AssetKey(["live", "send_decisions"])
EMAILS = dg.AssetKey(["delivery", "emails"])


@dg.multi_asset(
    name="live_window",
    specs=[
        dg.AssetSpec(
            EVENTS,
            group_name="landing",
            owners=["team:data"],
            kinds={"python", "duckdb"},
            description="Events as they landed: what the collector acknowledged, read by the live lane.",
        ),
        dg.AssetSpec(
            CANDIDATES,
            deps=[EVENTS],
            group_name="live",
            owners=["team:lifecycle"],
            kinds={"dbt", "duckdb"},
            description="Moments that ripened, by the compiled models on the warm database.",
        ),
        dg.AssetSpec(
            DECISIONS,
            deps=[CANDIDATES],
            group_name="live",
            owners=["team:lifecycle"],
            kinds={"dbt", "duckdb"},
            description="Who is mailed what, and why or why not; kept in the ledger.",
        ),
        dg.AssetSpec(
            EMAILS,
            deps=[DECISIONS],
            group_name="delivery",
            owners=["team:lifecycle"],
            kinds={"python", "email"},
            description="Emails a mail server accepted, exactly one per decision.",
        ),
    ],
    check_specs=[
        dg.AssetCheckSpec(
            "landing_is_parseable", asset=EVENTS, description="Less than 5 % of arriving events are refused."
        ),
        dg.AssetCheckSpec(
            "models_compile", asset=DECISIONS, description="The newest edit of the models is what runs."
        ),
        dg.AssetCheckSpec(
            "outbox_has_no_duplicates", asset=EMAILS, description="No decision has two accepted emails."
        ),
        dg.AssetCheckSpec(
            "audit_chain_is_intact", asset=EMAILS, description="Nobody edited the ledger's history."
        ),
    ],
)
def live_window(
    context: dg.AssetExecutionContext, kairos: Kairos
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """Minutes of micro-batches; materializations appear in the UI while the run goes on."""
    settings = kairos.settings()
    window = Window(settings, context.run_id)

    def report(statistics: Statistics) -> None:
        for materialization in materializations(statistics, settings):
            context.log_event(materialization)

    window.run(report)
    yield from check_results(window, settings)
    for key in (EVENTS, CANDIDATES, DECISIONS, EMAILS):
        yield dg.MaterializeResult(asset_key=key, metadata={"model_version": window.version})
