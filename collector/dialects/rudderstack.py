"""RudderStack's dialect: the same paths as Segment's, beacons, and its source configuration."""

from typing import Any


def source_config() -> dict[str, Any]:
    """What the SDKs ask for first; without it they do not start. Their own statistics are switched off."""
    silent = {"errors": {"enabled": False}, "metrics": {"enabled": False}}
    return {
        "source": {
            "id": "kairos",
            "name": "kairos",
            "enabled": True,
            "config": {"statsCollection": silent},
            "destinations": [],
        }
    }
