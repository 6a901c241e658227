"""What was read in a mail, as one JSON object per mail: for people, for `jq`, and for the collector."""

import hashlib
from dataclasses import asdict
from typing import Any

from collector.bounces.verdict import Reading


def report(file: str, raw: bytes, reading: Reading) -> dict[str, Any]:
    """The weightiest bounce on top, all of them under `recipients`."""
    worst = reading.worst
    return {
        "file": file,
        **asdict(worst),
        "decision_id": reading.decision_id,
        "message_id": reading.message_id,
        "verp": reading.verp,
        "mail_id": reading.mail_id,
        "sha256": hashlib.sha256(raw).hexdigest(),
        "recipients": [asdict(bounce) for bounce in reading.bounces],
    }
