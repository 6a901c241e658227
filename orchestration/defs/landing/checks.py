"""Claims about what landed that may be false."""

import dagster as dg

from orchestration.accounting import account
from orchestration.contract import judge_landing
from orchestration.defs.resources import Kairos

ARCHIVE = dg.AssetKey(["landing", "archive"])


@dg.asset_check(asset=ARCHIVE, description="acknowledged = loaded + duplicates + quarantined, without rest.")
def accounting_adds_up(kairos: Kairos) -> dg.AssetCheckResult:
    """Every acknowledged event is accounted for."""
    found = account(kairos.settings().archive)
    return dg.AssetCheckResult(passed=found.rest == 0, metadata=found.as_metadata())


@dg.asset_check(
    asset=ARCHIVE, description="The newest landed events meet the published contract (Great Expectations)."
)
def landing_meets_contract(kairos: Kairos) -> dg.AssetCheckResult:
    """A sample of the newest events against the expectation suite; the report is linked."""
    settings = kairos.settings()
    verdict = judge_landing(settings.archive, settings.data / "docs")
    return dg.AssetCheckResult(
        passed=verdict.passed,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "rows": verdict.rows,
            "failed": ", ".join(verdict.failed) or "none",
            "report": dg.MetadataValue.path(str(verdict.report)),
            "summary": dg.MetadataValue.md(verdict.markdown),
        },
    )
