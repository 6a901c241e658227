"""From a reserved row to finished bytes."""

from collections.abc import Mapping
from typing import Any

from senders import coupons
from senders.ledger.views import Job
from senders.mime import Builder, Identity, Message
from senders.render import Renderer
from senders.tracking import Tracking


class Composer:
    """Renders and builds; the same row gives the same bytes for as long as its template stays the same."""

    def __init__(
        self,
        renderer: Renderer,
        identity: Identity,
        shop: Mapping[str, Any],
        default_zone: str = "UTC",
        tracking: Tracking | None = None,
    ) -> None:
        """`shop` has name, url and address (None if there is none); templates print all three.

        `default_zone` (IANA name) is the clock of people whose own is unknown. Without `tracking` links lead straight
        to where they say.
        """
        self._renderer = renderer
        self._identity = identity
        self._builder = Builder(identity)
        self._shop = dict(shop)
        self._default_zone = default_zone
        self._tracking = tracking

    def compose(self, job: Job) -> Message:
        """Raises RenderError or Refused; either concerns this one email only."""
        context = self._context(job)
        body = self._renderer.render(job.template, job.subject, context)
        if self._tracking:
            body = self._tracking.apply(
                body,
                job.decision_id,
                job.frozen_at,
                self._shop["url"],
                written=self._renderer.written_links(job.template),
                kept=frozenset((context["unsubscribe_url"],)),
            )
        feedback = f"{job.route or 'none'}:{job.trigger_name}:{job.variant or 'none'}:kairos"
        return self._builder.build(job.decision_id, job.to_address, body, job.frozen_at, feedback)

    def make_durable(self) -> None:
        """What the links of the emails composed so far need in order to lead somewhere: before any of them leaves."""
        if self._tracking:
            self._tracking.make_durable()

    def _context(self, job: Job) -> dict[str, Any]:
        """What the models say about the person, and what only the sender knows; the sender wins."""
        content = dict(job.content)
        if offer := content.pop("coupon_offer", None):
            code = coupons.code_of(job.id, job.decision_id, self._identity.secret)
            content["coupon"] = coupons.issue(code, offer, job.frozen_at, job.timezone, self._default_zone)
        return {
            **content,
            "shop": self._shop,
            "trigger_name": job.trigger_name,
            "route": job.route,
            "unsubscribe_url": self._identity.unsubscribe_url(job.decision_id),
        }
