"""What the collector counts, in the form Prometheus reads."""

from collections import Counter as Tally
from collections.abc import Callable, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)


class Metrics:
    """The figures of one collector process."""

    def __init__(self, pending_bytes: Callable[[], float]) -> None:
        self._registry = CollectorRegistry()
        self._events = Counter(
            "events", "Acknowledged events.", ["source", "type", "status"], registry=self._registry
        )
        self._requests = Counter("intake_requests", "Requests by outcome.", ["code"], registry=self._registry)
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

    def render(self) -> bytes:
        """The text a Prometheus server scrapes."""
        return generate_latest(self._registry)

    def _child(self, source: str, kind: str) -> Counter:
        child = self._event_children.get((source, kind))
        if child is None:
            status = "quarantined" if kind == "quarantine" else "accepted"
            child = self._event_children[source, kind] = self._events.labels(source, kind, status)
        return child
