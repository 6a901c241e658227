"""From a reserved row to finished bytes."""

from collections.abc import Mapping
from typing import Any

from senders.ledger.views import Job
from senders.mime import Builder, Identity, Message
from senders.render import Renderer


class Composer:
    """Renders and builds; the same row gives the same bytes for as long as its template stays the same."""

    def __init__(self, renderer: Renderer, identity: Identity, shop: Mapping[str, Any]) -> None:
        """`shop` has name, url and address (None if there is none); templates print all three."""
        self._renderer = renderer
        self._identity = identity
        self._builder = Builder(identity)
        self._shop = dict(shop)

    def compose(self, job: Job) -> Message:
        """Raises RenderError or Refused; either concerns this one email only."""
        body = self._renderer.render(job.template, job.subject, self._context(job))
        feedback = f"{job.route or 'none'}:{job.trigger_name}:{job.variant or 'none'}:kairos"
        return self._builder.build(job.decision_id, job.to_address, body, job.frozen_at, feedback)

    def _context(self, job: Job) -> dict[str, Any]:
        """What the models say about the person, and what only the sender knows; the sender wins."""
        return {
            **job.content,
            "shop": self._shop,
            "trigger_name": job.trigger_name,
            "route": job.route,
            "unsubscribe_url": self._identity.unsubscribe_url(job.decision_id),
        }
