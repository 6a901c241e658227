"""Links in emails, signed here and served by the collector."""

from __future__ import annotations

from collector.links import Links
from orchestration.settings import Settings


def link_secrets(settings: Settings) -> tuple[str, ...]:
    """The newest signs, older ones still verify, so that links stay valid for years."""
    return (settings.key().decode(), *(secret.get_secret_value() for secret in settings.old_secrets))


def links(settings: Settings) -> Links:
    """Signs and verifies."""
    return Links(settings.collector.public_url, link_secrets(settings))
