"""Write the JSON Schema of the event contract: `python -m collector.schema`."""

import json
from pathlib import Path
from typing import Any

import msgspec

from collector.contract import Event, Quarantined

TARGET = Path(__file__).parents[1] / "docs" / "events.schema.json"
_RECEIVED = {
    "type": "string",
    "format": "date-time",
    "description": "Stamped by the log when the event became durable; never goes back.",
}


def schema() -> dict[str, Any]:
    """The contract as JSON Schema; `received_at` is added here because the log stamps it, not the intake."""
    _, definitions = msgspec.json.schema_components([Event, Quarantined], ref_template="#/$defs/{name}")
    for definition in definitions.values():
        definition["properties"] = {"received_at": _RECEIVED, **definition["properties"]}
        definition["required"] = list(definition["properties"])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Kairos event",
        "description": "One line of the log.",
        "anyOf": [{"$ref": f"#/$defs/{name}"} for name in definitions],
        "$defs": definitions,
    }


def render() -> str:
    """The file's content."""
    return json.dumps(schema(), indent=2) + "\n"


if __name__ == "__main__":
    TARGET.write_text(render())
