"""Links in emails, signed here and served by the collector."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

from collector.destinations import DestinationWriter
from collector.links import Links
from orchestration.settings import Settings
from senders.tracking import Tracking


def link_secrets(settings: Settings) -> tuple[str, ...]:
    """The newest signs, older ones still verify, so that links stay valid for years."""
    return (settings.key().decode(), *(secret.get_secret_value() for secret in settings.old_secrets))


def links(settings: Settings) -> Links:
    """Signs and verifies."""
    return Links(settings.collector.public_url, link_secrets(settings))


def tracking(settings: Settings) -> Tracking | None:
    """How clicks and opens are followed, as far as the settings want it."""
    mail = settings.mail
    if not (mail.track_clicks or mail.track_opens):
        return None
    signer = links(settings)
    destinations = DestinationWriter(settings.destinations)

    def click_url(decision_id: str, number: int, url: str, at: datetime) -> str:
        return signer.click_url(decision_id, number, destinations.remember(url, at.date()))

    return Tracking(
        hosts=followed_hosts(settings),
        click_url=click_url if mail.track_clicks else None,
        open_url=signer.open_url if mail.track_opens else None,
        make_durable=destinations.make_durable,
    )


def followed_hosts(settings: Settings) -> frozenset[str]:
    """The shop's host, with or without `www.`, and those named in the settings."""
    shop = (urlsplit(settings.mail.shop_url).hostname or "").lower().removeprefix("www.")
    return frozenset(host.lower() for host in (shop, *settings.mail.link_hosts) if host)
