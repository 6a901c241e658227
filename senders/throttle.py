"""So many emails per second and recipient domain: mailbox providers punish bursts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass
class Throttle:
    """A rate per domain, kept in memory: a restart forgives, a second at most."""

    per_second: Mapping[str, float] = field(default_factory=dict)  # by domain, "*" for all others
    _free_at: dict[str, datetime] = field(default_factory=dict)

    def admit(self, domain: str, now: datetime) -> datetime | None:
        """None: go, and the place is taken. Otherwise the instant to come back."""
        rate = self.per_second.get(domain, self.per_second.get("*"))
        if rate is None:
            return None
        free_at = self._free_at.get(domain, now)
        if free_at > now:
            return free_at
        # A quiet second may be used up at once, more than that is not saved.
        earliest = now - timedelta(seconds=1)
        self._free_at[domain] = max(free_at, earliest) + timedelta(seconds=1 / rate)
        return None
