"""Claims about delivery that may be false."""

import dagster as dg

from orchestration.defs.live.assets import EMAILS
from orchestration.defs.resources import Kairos
from orchestration.live.lease import utc_now
from orchestration.overview import Waiting, waiting_reviews


@dg.asset_check(
    asset=EMAILS, description="Nobody lets an email wait for review longer than mail.review_minutes."
)
def reviews_are_answered(kairos: Kairos) -> dg.AssetCheckResult:
    """A reminder that waits is a reminder that fades; see `kairos review list`."""
    settings = kairos.settings()
    return answered(waiting_reviews(settings.ledger, utc_now()), settings.mail.review_minutes)


def answered(waiting: Waiting, allowed_minutes: float) -> dg.AssetCheckResult:
    """A warning, not an error: what waits too long expires by itself."""
    minutes = waiting.longest.total_seconds() / 60
    return dg.AssetCheckResult(
        passed=minutes <= allowed_minutes,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "waiting": waiting.count,
            "longest_wait_minutes": round(minutes, 1),
            "allowed_minutes": allowed_minutes,
            "by_reason": ", ".join(f"{count} {reason}" for reason, count in waiting.by_reason.items())
            or "none",
        },
    )
