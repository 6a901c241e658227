"""The dbt project keeps its promises: layers, keys, grain, contracts, and everything a trigger needs."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from orchestration.dbt import run_dbt
from orchestration.live.decode import EVENT_SCHEMA
from orchestration.live.plan import RULES

ROOT = Path(__file__).resolve().parent.parent
PROJECT = ROOT / "dbt_project"
TEMPLATES = ROOT / "senders" / "templates"

# A model reads its own layer or one before it; triggers and segments stand side by side.
LAYERS = {
    "staging": 0,
    "timelines": 1,
    "profiles": 2,
    "content": 3,
    "triggers": 4,
    "segments": 4,
    "decisions": 5,
    "outcomes": 6,
}
CONTRACTS = {"fct_trigger_candidates", "fct_send_decisions"}
SQL_TYPES = {pl.Int64: "bigint", pl.String: "varchar", pl.Datetime("us"): "timestamp"}

WITHOUT_STORY = {
    "stg_landing__contexts": "names things; fct_sessions tells the story",
    "stg_kairos__suppressions": "names things; int_candidate_rules tells the story",
    "stg_kairos__email_hits": "names things; int_email_hits tells the story",
    "int_visitor_events": "puts an event beside its place in the timeline; int_visitor_timeline tells the story",
    "int_trigger_moments": "puts triggers under each other; its key is tested in the_key_of_a_moment_never_changes",
}

# Not every engine has these, or they mean something else there.
NOT_PORTABLE = {
    r"\bqualify\b": "row_number in a subquery",
    r"\bgroup by all\b": "name the columns",
    r"\border by all\b": "name the columns",
    r"\b(arg_max|max_by|any_value|bool_or|percentile_cont)\b": "row_number, max(case ...)",
    r"\brange between\b": "rows between",
    r"\bas at\b|\.at\b": "at is a keyword elsewhere: <event>_at",
}

Node = dict[str, Any]


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Node:
    target = tmp_path_factory.mktemp("target")
    run_dbt(PROJECT, "warehouse", target, ["parse"], target)
    return json.loads((target / "manifest.json").read_text())


@pytest.fixture(scope="module")
def models(manifest: Node) -> dict[str, Node]:
    """By name."""
    return {node["name"]: node for node in manifest["nodes"].values() if node["resource_type"] == "model"}


@pytest.fixture(scope="module")
def triggers(models: dict[str, Node]) -> dict[str, Node]:
    """By the trigger's name: `cart_abandonment`."""
    return {name.removeprefix("trg_"): node for name, node in models.items() if name.startswith("trg_")}


def layer(node: Node) -> str:
    return node["fqn"][1]


def seed(name: str) -> list[dict[str, str]]:
    with (PROJECT / "seeds" / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


# -- layers


def test_every_model_lies_in_a_layer_and_is_named_after_it(models: dict[str, Node]):
    names = {
        "staging": "stg_", "timelines": "int_", "profiles": ("dim_", "fct_"),
        "content": ("int_", "dim_", "fct_"), "triggers": "trg_",
        "segments": ("int_", "seg_", "fct_"), "decisions": ("int_", "fct_"), "outcomes": "fct_",
    }  # fmt: skip

    assert {layer(node) for node in models.values()} <= set(LAYERS)
    assert [name for name, node in models.items() if not name.startswith(names[layer(node)])] == []


def test_a_model_reads_its_own_layer_or_one_before_it(models: dict[str, Node], manifest: Node):
    upwards = [
        f"{name} ({layer(node)}) reads {parent['name']} ({layer(parent)})"
        for name, node in models.items()
        for key in node["depends_on"]["nodes"]
        if key.startswith("model.") and LAYERS[layer(parent := manifest["nodes"][key])] > LAYERS[layer(node)]
    ]

    assert upwards == []


def test_one_trigger_does_not_read_another(triggers: dict[str, Node]):
    reading = [
        f"{name} reads {key}"
        for name, node in triggers.items()
        for key in node["depends_on"]["nodes"]
        if ".trg_" in key
    ]

    assert reading == []


def test_only_staging_names_a_source(models: dict[str, Node]):
    """What differs between the lanes is in macros/lanes.sql, which may."""
    naming = [
        name for name, node in models.items() if "source(" in node["raw_code"] and layer(node) != "staging"
    ]

    assert naming == []


def test_the_sender_reads_one_table(manifest: Node):
    exposures = {exposure["name"]: exposure for exposure in manifest["exposures"].values()}

    assert exposures["sender"]["depends_on"]["nodes"] == ["model.kairos.fct_send_decisions"]
    assert "marts_export" in exposures


# -- what a model says about itself


def test_every_model_says_what_one_row_is(models: dict[str, Node]):
    silent = [name for name, node in models.items() if "One row per" not in node["description"]]

    assert silent == [], "write `One row per …` into its description"


def test_every_key_is_tested(models: dict[str, Node], manifest: Node):
    kinds = {"unique", "unique_together"}
    tested = {
        node["attached_node"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test" and (node.get("test_metadata") or {}).get("name") in kinds
    }

    assert [name for name, node in models.items() if node["unique_id"] not in tested] == []


def test_every_model_belongs_to_a_group(models: dict[str, Node]):
    assert [name for name, node in models.items() if not node["group"]] == []


def test_public_shapes_have_contracts(models: dict[str, Node], triggers: dict[str, Node]):
    promised = CONTRACTS | {f"trg_{name}" for name in triggers}

    assert [name for name in sorted(promised) if not models[name]["contract"]["enforced"]] == []


def test_every_model_whose_meaning_matters_has_a_story(models: dict[str, Node], manifest: Node):
    """Also the lane's own parts: whoever changes them wants to be told."""
    told = {key.split(".")[-2] for key in manifest["unit_tests"]}

    assert set(models) - told == set(WITHOUT_STORY)


@pytest.mark.parametrize(("pattern", "instead"), NOT_PORTABLE.items())
def test_models_use_what_other_engines_have_too(models: dict[str, Node], pattern: str, instead: str):
    code = {name: re.sub(r"--.*|'[^']*'", "", node["raw_code"]) for name, node in models.items()}

    assert [name for name, text in code.items() if re.search(pattern, text, re.IGNORECASE)] == [], instead


# -- what Python and SQL share


def test_the_source_has_the_columns_that_are_archived(manifest: Node):
    columns = manifest["sources"]["source.kairos.landing.events"]["columns"]

    assert {name: column["data_type"] for name, column in columns.items()} == {
        name: SQL_TYPES[kind] for name, kind in EVENT_SCHEMA.items()
    }


def test_every_rule_the_ledger_keeps_is_a_column(models: dict[str, Node]):
    columns = models["fct_send_decisions"]["columns"]

    assert [rule for rule in RULES if columns[rule]["data_type"] != "boolean"] == []


# -- everything a trigger needs


def test_a_trigger_is_judged(triggers: dict[str, Node], models: dict[str, Node]):
    union = models["int_trigger_moments"]["depends_on"]["nodes"]
    missing = [name for name in triggers if f"model.kairos.trg_{name}" not in union]

    assert missing == [], "add it to the list in int_trigger_moments.sql"


def test_a_trigger_has_thresholds_branches_and_subjects(triggers: dict[str, Node]):
    """And nobody else has any."""
    branches = {(row["trigger_name"], row["route"]) for row in seed("routes")}
    steps = {(row["trigger_name"], row["route"]) for row in seed("sequences")}

    assert {row["trigger_name"] for row in seed("thresholds")} == set(triggers)
    assert {name for name, _ in branches} == set(triggers)
    assert {(row["trigger_name"], row["route"]) for row in seed("variants")} == branches | steps
    assert branches & steps == set(), "a step of a sequence needs a name of its own: its subjects hang on it"
    assert {row["trigger_name"] for row in seed("exits")} <= set(triggers)


def test_a_trigger_has_a_template_in_html_and_text(triggers: dict[str, Node]):
    first = {f"{name}/touch_1" for name in triggers}
    wanted = {
        f"{stem}.{kind}.j2"
        for stem in first | {row["template"] for name in ("routes", "sequences") for row in seed(name)}
        for kind in ("html", "txt")
    }

    assert sorted(name for name in wanted if not (TEMPLATES / name).exists()) == []


def test_a_trigger_has_stories_and_its_yml_beside_it(triggers: dict[str, Node], manifest: Node):
    told = {key.split(".")[-2] for key in manifest["unit_tests"]}

    assert [name for name in triggers if f"trg_{name}" not in told] == []
    assert [
        name for name, node in triggers.items() if not node["patch_path"].endswith(f"/trg_{name}.yml")
    ] == []


def test_a_trigger_has_a_page(triggers: dict[str, Node]):
    """With its SQL linked, so that a reader can go on."""
    pages = {name: ROOT / "docs" / "triggers" / f"{name}.md" for name in triggers}

    assert [name for name, page in pages.items() if not page.exists()] == []
    assert [name for name, page in pages.items() if f"trg_{name}.sql" not in page.read_text()] == []
