"""The limits the gate enforces. SQL uses the same figures to choose well; only these can refuse a send."""

from dataclasses import dataclass
from datetime import timedelta

from senders.quiet import QuietHours


@dataclass(frozen=True)
class Policy:
    """Every limit of the gate, with its default."""

    # At most so many emails per person and address within any `cap_window`. 0 = never send, None = no cap.
    cap: int | None = 3
    # Rolling, not a calendar week: calendar weeks let 6 emails through in 28 hours with a cap of 3.
    cap_window: timedelta = timedelta(hours=168)
    # The least time between two emails to one person or address. None = no such rule.
    min_gap: timedelta | None = None
    quiet_hours: QuietHours | None = None
    # True: nobody is mailed without a consent record in the ledger. A withdrawal always wins, either way.
    consent_required: bool = True
    # Two identities with one mailbox that ripen in the same window get one email per trigger and touch.
    dedupe_window: timedelta = timedelta(hours=1)
    # How long an unanswered dot rests before anyone asks the provider. RFC 5321 lets a server take
    # 10 minutes; asking at once double-sent 19 of 84 in measurement.
    quarantine: timedelta = timedelta(minutes=11)
    # Without proof by then, an unanswered dot counts as sent, for good (UNKNOWN).
    resolve_within: timedelta = timedelta(hours=24)
    # After a 4xx: 5 s, 15 s, 45 s … A first touch lives five minutes, so the first retries are quick.
    backoff_first: timedelta = timedelta(seconds=5)
    backoff_factor: int = 3
    backoff_most: timedelta = timedelta(minutes=15)
    # A retry this much later is dated anew, and its coupon's deadline with it: nobody gets a coupon that has
    # run out or nearly so. A code works this long beyond its deadline, so nobody gets less than was promised.
    redate_after: timedelta = timedelta(minutes=15)
    # So many soft bounces of one mailbox within the window, and no delivery between, rest it for a while.
    soft_bounces: int = 3
    soft_bounce_window: timedelta = timedelta(days=7)
    soft_bounce_rest: timedelta = timedelta(days=30)
    # The wall clock may step back this far before the gate waits for it to catch up.
    clock_tolerance: timedelta = timedelta(seconds=2)

    def backoff(self, attempts: int) -> timedelta:
        """The pause after so many failed attempts."""
        return min(self.backoff_first * self.backoff_factor ** min(attempts, 20), self.backoff_most)
