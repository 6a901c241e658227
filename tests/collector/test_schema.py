"""The written contract is the one the code holds."""

import re
from pathlib import Path

from collector import schema
from collector.refusal import Refused

ROOT = Path(__file__).parents[2]


def test_the_schema_in_the_docs_is_current():
    assert schema.TARGET.read_text() == schema.render(), "run python -m collector.schema"


def test_every_reason_for_refusing_an_event_is_documented():
    sources = "".join(path.read_text() for path in (ROOT / "collector").rglob("*.py"))
    codes = set(re.findall(r"(?:Refused|BadRequest)\(\s*\"(\w+)\",", sources))
    codes |= {"invalid_properties", "invalid_context", "invalid_traits"}  # built from the field's name
    documented = (ROOT / "docs" / "events.md").read_text()

    assert len(codes) > 20
    assert [code for code in sorted(codes) if f"`{code}`" not in documented] == []


def test_every_flag_is_documented():
    sources = "".join(path.read_text() for path in (ROOT / "collector").rglob("*.py"))
    flags = set(re.findall(r"flags\.append\(\"(\w+)\"\)", sources))
    documented = (ROOT / "docs" / "events.md").read_text()

    assert flags
    assert [flag for flag in sorted(flags) if f"`{flag}`" not in documented] == []


def test_a_refusal_speaks_to_machines_and_to_people():
    refusal = Refused("too_deep", "Nested too deep.")

    assert (refusal.code, str(refusal)) == ("too_deep", "Nested too deep.")
