"""`kairos suppressions` and `kairos webhooks`, as a person meets them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from collector.log import FileLog
from orchestration.cli.app import app
from orchestration.cli.errors import FriendlyError


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KAIROS_DATA", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


def run(*arguments: str, code: int = 0, stdin: str | None = None) -> str:
    done = CliRunner().invoke(app, list(arguments), input=stdin, catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done.output


def test_somebody_is_put_on_the_list_shown_and_taken_off():
    run("suppressions", "add", "ann@example.com", "--reason", "hard_bounce", "--why", "postmaster wrote")

    assert "hard_bounce" in run("suppressions", "list", "Ann@Example.com")
    assert "not suppressed" in run("suppressions", "list", "bob@example.com")
    assert "1 lifted" in run("suppressions", "remove", "ann@example.com", "--why", "mailbox is back")
    assert "nobody" in run("suppressions", "list")


def test_a_complaint_stays_and_an_unsubscribe_needs_a_new_opt_in():
    run("suppressions", "add", "ann@example.com", "--reason", "complaint")
    run("suppressions", "add", "bob@example.com", "--reason", "unsubscribe")

    with pytest.raises(FriendlyError, match="never lifted"):
        run("suppressions", "remove", "ann@example.com", "--why", "x", "--double-opt-in")
    with pytest.raises(FriendlyError, match="double-opt-in"):
        run("suppressions", "remove", "bob@example.com", "--why", "x")
    run("suppressions", "remove", "bob@example.com", "--why", "form 12", "--double-opt-in")


def test_the_models_hear_of_customers(here: Path):
    run("suppressions", "add", "customer-1")
    run("suppressions", "add", "customer-2", "--reason", "hard_bounce")
    run("suppressions", "remove", "customer-2", "--why", "wrong person")

    frames = FileLog(here / "landing").read_after(0).frames
    events = [json.loads(frame.payload) for frame in frames]
    assert [(event["event"], event["user_id"]) for event in events] == [
        ("Suppression Added", "customer-1"),
        ("Suppression Added", "customer-2"),
        ("Suppression Lifted", "customer-2"),
    ]


def test_a_list_goes_out_and_comes_back_and_is_no_formula(here: Path):
    run("suppressions", "add", "=cmd()", "--reason", "objection")
    run("suppressions", "add", "ann@example.com", "--reason", "complaint", "--why", "=HYPERLINK(1)")
    file = here / "out.csv"
    run("suppressions", "export", str(file))

    rows = list(csv.DictReader(file.open(newline="")))
    assert {row["person"] for row in rows} == {"", "'=cmd()"}
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())

    again = here / "again"
    again.mkdir()
    (again / "secret").write_bytes((here / "secret").read_bytes())
    CliRunner().invoke(app, ["suppressions", "import", str(file)], env={"KAIROS_DATA": str(again)})
    found = CliRunner().invoke(
        app, ["suppressions", "list", "ann@example.com"], env={"KAIROS_DATA": str(again)}
    )
    assert "complaint" in found.output
    person = CliRunner().invoke(app, ["suppressions", "list", "=cmd()"], env={"KAIROS_DATA": str(again)})
    assert "objection" in person.output


def test_a_foreign_list_is_taken_row_by_row(here: Path):
    file = here / "list.csv"
    file.write_text(
        "\ufeffEmail,Reason\nann@example.com,\nnonsense,\n,\nbob@example.com,pigeon\ncem@example.com,hard_bounce\n"
    )

    said = run("suppressions", "import", str(file), "--reason", "unsubscribe", code=1)

    assert "2 suppressed, 3 rows unusable" in said
    assert "line 3: not an address" in said and "nonsense" not in said
    assert "unsubscribe" in run("suppressions", "list", "ann@example.com")
    with pytest.raises(FriendlyError, match="first line"):
        run("suppressions", "import", "-", stdin="a,b\n1,2\n")


# -- kairos webhooks


def test_a_payload_is_read_from_a_file_a_list_lines_and_stdin(here: Path):
    one = {"RecordType": "Delivery", "Recipient": "ann@example.com", "DeliveredAt": "2026-11-23T11:00:00Z"}
    shapes = [json.dumps(one), json.dumps([one]), json.dumps(one) + "\n" + json.dumps(one) + "\n"]

    for shape in shapes:
        (here / "x.json").write_text(shape)
        for given in (str(here / "x.json"), "-"):
            lines = run("webhooks", "normalise", "postmark", given, "--json", stdin=shape).splitlines()
            assert {json.loads(line)["event_type"] for line in lines} == {"delivered"}
    event = json.loads(lines[0])
    assert (event["recipient"], event["occurred_at"]) == ("ann@example.com", "2026-11-23T11:00:00Z")
    assert event["raw"] == one


def test_what_is_ignored_says_why_and_what_is_malformed_ends_in_an_error():
    ignored = json.loads(
        run("webhooks", "normalise", "postmark", "-", "--json", stdin='{"RecordType": "Inbound"}')
    )
    assert (ignored["event_type"], ignored["ignored"]) == (None, True) and "inbound" in ignored["reason"]

    for broken in ("", "nonsense", "[1]", "3", '{"x": 1}', "{}\n{"):
        with pytest.raises(FriendlyError):
            run("webhooks", "normalise", "postmark", "-", stdin=broken)
    with pytest.raises(FriendlyError, match="no provider"):
        run("webhooks", "normalise", "pigeon", "-", stdin="{}")


def test_good_lines_are_shown_although_others_are_malformed():
    text = '{"RecordType": "Delivery"}\n{"x": 1}\n'

    done = CliRunner().invoke(app, ["webhooks", "normalise", "postmark", "-", "--json"], input=text)

    assert "delivered" in done.output
    assert isinstance(done.exception, FriendlyError) and "payload 2" in str(done.exception)
