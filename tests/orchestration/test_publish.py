"""What marketers get after each batch: files nobody's spreadsheet runs, a dictionary, a database open to all."""

from __future__ import annotations

import base64
import csv
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import dagster as dg
import duckdb
import polars as pl
import pytest

from orchestration.dbt import run_dbt
from orchestration.durable import replaced
from orchestration.people.catalogue import FILES, PROPOSALS_TABLE, for_files
from orchestration.people.clusters import PROPOSALS
from orchestration.people.dictionary import WARNING
from orchestration.people.export import export
from orchestration.people.plot import as_markdown, sparkline, svg
from orchestration.people.publish import (
    Places,
    Published,
    keep,
    known_until,
    publish,
    read_manifest,
    work_out_lifetimes,
    work_out_proposals,
)
from orchestration.settings import ROOT
from tests.models.sample import write_sample

GUIDE = (ROOT / "docs" / "for-marketers.md").read_text()
READER = """
import sys, time, duckdb
seen = 0
while True:
    with duckdb.connect(sys.argv[1], read_only=True) as marts:
        assert marts.execute("select count(*) from dim_customers").fetchall()[0][0] > 0
        assert marts.execute("select count(*) from fct_segment_movements").fetchall()[0][0] > 0
    seen += 1
    print(seen, flush=True)
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse of a week, and dbt's manifest in `target`."""
    data = tmp_path_factory.mktemp("published")
    write_sample(data, 4_000)
    return build(data)


def build(data: Path) -> Path:
    arguments = ["build", "--exclude-resource-type", "unit_test", "test"]
    run_dbt(ROOT / "dbt_project", "warehouse", data / "target", arguments, data)
    return data


@pytest.fixture(scope="module")
def published(built: Path) -> Published:
    return publish(Places(built), read_manifest(built / "target"))


def cells(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as lines:
        return list(csv.DictReader(lines))


# -- files


def test_every_table_is_there_twice_and_says_the_same(built: Path, published: Published):
    for name, rows in published.files.items():
        parquet = pl.read_parquet(built / "segments" / f"{name}.parquet")
        table = cells(built / "segments" / f"{name}.csv")
        assert (parquet.height, len(table)) == (rows, rows)
        if table:
            assert list(table[0]) == parquet.columns

    assert {"seg_vips", "seg_researchers", "fct_customer_rfm", "fct_segment_movements"} <= set(
        published.files
    )
    assert published.files["seg_vips"] > 0


def test_files_are_in_order_and_counts_are_whole_numbers(built: Path, published: Published):
    """Parquet has no 128 bits: such a count would arrive as a floating number."""
    movements = pl.read_parquet(built / "segments" / "fct_segment_movements.parquet")

    assert movements.select("segment_name", "movement_date").equals(
        movements.select("segment_name", "movement_date").sort("segment_name", "movement_date")
    )
    assert movements["member_count"].dtype == pl.Int64
    assert "hugeint" not in (built / "segments" / "dictionary.md").read_text()


def test_every_segment_is_published(built: Path):
    manifest = read_manifest(built / "target")
    segments = {node["name"] for node in manifest["nodes"].values() if node["name"].startswith("seg_")}

    assert segments == {table.name for table in for_files(manifest) if table.is_segment}, f"add it to {FILES}"


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+49 30", "'+49 30"),
        ("-5", "'-5"),
        ("@cmd", "'@cmd"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        ("\nx", "'\nx"),
        ('=HYPERLINK("http://x","y")', '\'=HYPERLINK("http://x","y")'),
        ("a=b", "a=b"),
        ("it's", "it's"),
        ("1,5; 2", "1,5; 2"),
        ("", ""),
        ("Zoë\nLucía", "Zoë\nLucía"),
    ],
)
def test_no_spreadsheet_runs_a_cell(tmp_path: Path, text: str, cell: str):
    with duckdb.connect() as connection:
        connection.execute("create table people (name varchar, balance double, owed bigint, seen timestamp)")
        connection.execute("insert into people values (?, -1.5, -7, '2026-03-02 12:00:00')", [text])

        export(connection, "people", "people", tmp_path)

    expected = {"name": cell, "balance": "-1.5", "owed": "-7", "seen": "2026-03-02 12:00:00"}
    assert cells(tmp_path / "people.csv") == [expected]
    assert pl.read_parquet(tmp_path / "people.parquet")["name"].to_list() == [text]


def test_text_inside_other_types_is_no_formula_either(tmp_path: Path):
    with duckdb.connect() as connection:
        connection.execute("create type mood as enum ('=bad', 'good')")
        connection.execute("create table people as select '=bad'::mood as mood, null::varchar as nothing")

        export(connection, "people", "people", tmp_path)

    assert cells(tmp_path / "people.csv") == [{"mood": "'=bad", "nothing": ""}]


def test_a_segment_that_is_no_more_leaves_no_list_of_people(built: Path, published: Published):
    stale, own = built / "segments" / "seg_old.csv", built / "segments" / "my_notes.csv"
    stale.touch()
    own.touch()

    publish(Places(built), read_manifest(built / "target"))

    assert (stale.exists(), own.exists()) == (False, True)


def test_before_the_first_event_everything_is_there_and_empty(tmp_path: Path):
    places = Places(build(tmp_path))

    refused = [work_out_lifetimes(places).refused, work_out_proposals(places).refused]
    done = publish(places, read_manifest(tmp_path / "target"))

    assert refused == ["nothing has landed yet"] * 2
    assert set(done.marts.values()) == {0} and done.members == {}
    assert cells(tmp_path / "segments" / "seg_vips.csv") == []
    assert "Nothing has landed yet." in (tmp_path / "segments" / "dictionary.md").read_text()


# -- dictionary


def sections(built: Path) -> dict[str, str]:
    parts = re.split(r"^## ", (built / "segments" / "dictionary.md").read_text(), flags=re.MULTILINE)
    return {part.split("\n", 1)[0]: part for part in parts[1:]}


def test_the_dictionary_explains_every_column_of_every_file(built: Path, published: Published):
    unexplained = [
        (name, line)
        for name, text in sections(built).items()
        if name in published.files
        for line in text.splitlines()
        if line.endswith("|  |")
    ]

    assert unexplained == []
    assert set(sections(built)) == set(published.marts)
    assert all("One row per" in text for text in sections(built).values())


def test_the_dictionary_marks_addresses(built: Path, published: Published):
    marked = {name for name, text in sections(built).items() if WARNING in text}

    with duckdb.connect(str(built / "marts.duckdb"), read_only=True) as marts:
        rows = marts.execute("select table_name from duckdb_columns() where column_name = 'email'").fetchall()
    assert marked == {row[0] for row in rows} >= {"dim_customers", "fct_send_decisions"}
    assert (
        f"| [dim_customers](#dim_customers) | {published.marts['dim_customers']} | marts.duckdb | **yes** |"
        in (built / "segments" / "dictionary.md").read_text()
    )


# -- database


def test_the_database_brings_its_meanings_along(built: Path, published: Published):
    with duckdb.connect(str(built / "marts.duckdb"), read_only=True) as marts:
        tables = dict(marts.execute("select table_name, comment from duckdb_tables()").fetchall())
        reason = marts.execute(
            "select comment from duckdb_columns() where table_name = 'seg_vips' and column_name = 'reason'"
        ).fetchall()

    assert set(tables) == set(published.marts)
    assert "One row per person" in tables["seg_vips"]
    assert reason == [("Why, in words and figures.",)]


def test_the_database_is_swapped_while_somebody_reads(built: Path, published: Published):
    """A stranger's process opens it again and again, another connection stays open through it all."""
    file = str(built / "marts.duckdb")
    manifest = read_manifest(built / "target")
    stranger = subprocess.Popen(
        [sys.executable, "-c", READER, file], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        with duckdb.connect(file, read_only=True) as reader:
            before = reader.execute("select count(*) from seg_vips").fetchall()
            inode = os.stat(file).st_ino
            for _ in range(5):
                publish(Places(built), manifest)
                assert stranger.stdout is not None and stranger.stdout.readline()
            after = reader.execute("select count(*) from seg_vips").fetchall()
        assert os.stat(file).st_ino != inode
        assert before == after == [(published.marts["seg_vips"],)]
        assert stranger.poll() is None
    finally:
        stranger.kill()
        _, problem = stranger.communicate()
    assert problem == ""


def test_what_fails_leaves_what_was_there(built: Path, published: Published):
    file = built / "marts.duckdb"
    manifest = json.loads(json.dumps(read_manifest(built / "target")))
    manifest["nodes"]["model.kairos.fct_touches"]["name"] = "fct_gone"
    before = file.read_bytes()

    with pytest.raises(duckdb.Error, match="fct_gone"):
        publish(Places(built), manifest)

    assert file.read_bytes() == before
    assert [*built.glob(".*.writing*")] == []


def test_a_killed_predecessor_is_in_nobodys_way(tmp_path: Path):
    file = tmp_path / "list.csv"
    (tmp_path / ".list.csv.999999999-1").write_text("half a li")  # no process has such a number

    with replaced(file) as scratch:
        assert not scratch.exists()
        scratch.write_text("whole")

    assert [path.name for path in tmp_path.iterdir()] == ["list.csv"]
    assert file.read_text() == "whole"


# -- assets


@pytest.fixture
def assets(built: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.ExecuteInProcessResult]:
    """Both assets in an ordinary run, on the warehouse that was built."""
    monkeypatch.setenv("KAIROS_DATA", str(built))
    from orchestration.defs.resources import Kairos
    from orchestration.defs.warehouse.people import customer_lifetimes, published, segment_proposals

    with dg.instance_for_test() as instance:
        yield dg.materialize(
            [customer_lifetimes, segment_proposals, published],
            resources={"kairos": Kairos()},
            instance=instance,
        )


def test_assets_tell_how_many_and_show_how_it_went(assets: dg.ExecuteInProcessResult, built: Path):
    told = {
        event.asset_key.path[-1]: event.materialization.metadata
        for event in assets.get_asset_materialization_events()
    }

    files = told["published"]
    assert "are needed" in told["customer_lifetimes"]["refused"].value
    assert "are needed" in told["segment_proposals"]["refused"].value
    assert files["members_vips"].value == len(cells(built / "segments" / "seg_vips.csv"))
    assert "| vips | " in files["members"].value
    assert Path(files["dictionary"].value).exists() and Path(files["marts"].value).exists()
    assert files["members_plot"].value.startswith("![members over time](data:image/svg+xml;base64,")


def test_lifetimes_that_were_worked_out_are_published(built: Path):
    found = work_out_lifetimes(Places(built))

    done = publish(Places(built), read_manifest(built / "target"))

    assert done.files["customer_lifetimes"] == found.customers.height == 0
    assert found.refused


def test_proposals_of_today_are_kept_and_those_of_yesterday_worked_out_anew(built: Path):
    """Of so few people there are none, so that an empty table means it was worked out."""
    places = Places(built)
    file = places.worked_out(PROPOSALS_TABLE.name)
    with duckdb.connect(str(places.warehouse), read_only=True) as warehouse:
        now = known_until(warehouse)
    assert now is not None
    proposal = {
        "proposal": "readers",
        "people": 9,
        "fidelity": 1.0,
        "stability": 1.0,
        "stability_kind": "bootstrap",
    }

    keep(pl.DataFrame([proposal | {"as_of": now - timedelta(hours=23)}], schema=PROPOSALS), file)
    today = work_out_proposals(places)
    published = publish(places, read_manifest(built / "target"))
    keep(pl.DataFrame([proposal | {"as_of": now - timedelta(hours=25)}], schema=PROPOSALS), file)
    tomorrow = work_out_proposals(places)

    assert (today.table["proposal"].to_list(), published.files["segment_proposals"]) == (["readers"], 1)
    assert tomorrow.refused.endswith("200 are needed") and pl.read_parquet(file).is_empty()


def test_the_picture_has_a_line_per_segment():
    picture = as_markdown({"vips": [0, 5, 10], "a<b": [1, 1, 1]})

    text = base64.b64decode(picture.split("base64,")[1].rstrip(")")).decode()
    lines = [line for line in ET.fromstring(text) if line.tag.endswith("polyline")]
    assert [line.get("points") for line in lines] == [
        "0.0,156.0 240.0,80.0 480.0,4.0",
        "0.0,140.8 240.0,140.8 480.0,140.8",
    ]
    assert "a&lt;b: 1" in text


def test_nothing_yet_is_drawn_too():
    assert sparkline([]) == "" and sparkline([0, 0]) == "▁▁" and sparkline([0, 1, 4]) == "▁▂█"
    assert ET.fromstring(svg({})).tag.endswith("svg")


# -- the guide


def test_the_guide_followed_literally(built: Path, published: Published, tmp_path: Path):
    """Its Python runs where the data folder is, and prints addresses of VIPs who want mail."""
    section = GUIDE.split("## Read a segment")[1].split("\n## ")[0]
    code = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    (tmp_path / "data").symlink_to(built)

    done = [
        subprocess.run(
            [sys.executable, "-c", block], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        for block in code
    ]

    assert [run.stderr for run in done] == [""] * len(code) and code
    assert re.search(r"@example\.\w+.*tier vip", done[0].stdout)


def test_the_guide_names_every_segment_and_nothing_else(built: Path):
    section = GUIDE.split("## Read a segment")[1].split("\n### ")[0]
    names = {table.name for table in for_files(read_manifest(built / "target"))}

    assert set(re.findall(r"^\| `(\w+)`", section, re.MULTILINE)) == names
