"""What the collector counts, in the form Prometheus reads."""

from collections import Counter as Tally
from collections.abc import Callable, Sequence
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, generate_latest

from collector.metrics_share import MetricsShare

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)


class _Families(NamedTuple):
    """What `generate_latest` asks of a registry."""

    families: Sequence[Metric]

    def collect(self) -> Sequence[Metric]:
        return self.families


class Metrics:
    """The figures of one collector process, and through `share` those of its fellow workers."""

    def __init__(self, pending_bytes: Callable[[], float], share: MetricsShare | None = None) -> None:
        self._share = share
        self._registry = CollectorRegistry()
        self._events = Counter(
            "events", "Acknowledged events.", ["source", "type", "status"], registry=self._registry
        )
        self._requests = Counter("intake_requests", "Requests by outcome.", ["code"], registry=self._registry)
        self._hits = Counter(
            "email_hits", "Clicks and opens by outcome.", ["kind", "outcome"], registry=self._registry
        )
        self._latency = Histogram(
            "intake_seconds",
            "From request to durable acknowledgement.",
            buckets=_SECONDS,
            registry=self._registry,
        )
        queue = Gauge("intake_pending_bytes", "Events that wait for the disk.", registry=self._registry)
        queue.set_function(pending_bytes)
        self._event_children: dict[tuple[str, str], Counter] = {}
        self._accepted = self._requests.labels("accepted")

    def accepted(self, source: str, types: Sequence[str], seconds: float) -> None:
        """A request was acknowledged with events of these types."""
        tally = {types[0]: 1} if len(types) == 1 else Tally(types)
        for kind, count in tally.items():
            self._child(source, kind).inc(count)
        self._accepted.inc()
        self._latency.observe(seconds)

    def refused(self, code: str) -> None:
        """A request was not accepted."""
        self._requests.labels(code).inc()

    def hit(self, kind: str, outcome: str) -> None:
        """A link of an email was followed (`click`) or its picture loaded (`open`): recorded, machine, repeated,
        lost, expired, forged."""
        self._hits.labels(kind, outcome).inc()

    def render(self) -> bytes:
        """The text a Prometheus server scrapes: the sum over all workers."""
        mine = list(self._registry.collect())
        return generate_latest(_Families(self._share.added(mine) if self._share else mine))

    async def keep_telling(self) -> None:
        """Tell the other workers what this one counted, until cancelled."""
        if self._share:
            await self._share.keep_telling(self._registry.collect)

    def _child(self, source: str, kind: str) -> Counter:
        child = self._event_children.get((source, kind))
        if child is None:
            status = "quarantined" if kind == "quarantine" else "accepted"
            child = self._event_children[source, kind] = self._events.labels(source, kind, status)
        return child
