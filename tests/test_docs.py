"""What can be set, sent and decided is documented, and the documentation leads somewhere."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import BaseModel

from orchestration.cli.app import app
from orchestration.settings import Settings, WriteKey, load_settings

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "kairos.toml.example"
DOCS = ROOT / "docs"
README = (ROOT / "README.md").read_text()

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
SETTING = re.compile(r"^(?:# )?([a-z_]+) = ")
# Segment's title case, at least two words: `Order Completed`.
EVENT_NAME = re.compile(r"""["']([A-Z][a-z]+(?: [A-Z][a-z]+)+)["']""")
OWN_EVENT = re.compile(r"Email |Suppression ")


# -- settings


def setting_names(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """`mail.smtp.port` and so on, for every value that can be set."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from setting_names(kind, f"{prefix}{name}.")
        elif f"{prefix}{name}" == "collector.keys":
            yield from setting_names(WriteKey, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def flat_names(table: dict, prefix: str = "") -> set[str]:
    """The same form, for what a TOML file says."""
    names: set[str] = set()
    for name, value in table.items():
        tables = [value] if isinstance(value, dict) else value if isinstance(value, list) else []
        inside = [part for part in tables if isinstance(part, dict)]
        names |= {found for part in inside for found in flat_names(part, f"{prefix}{name}.")}
        if not inside:
            names.add(prefix + name)
    return names


def uncommented(text: str) -> str:
    """The example with its optional settings switched on."""
    return re.sub(r"^# (?=[a-z_]+ = )", "", text, flags=re.MULTILINE)


@pytest.fixture
def example_alone(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No setting comes from anywhere else."""
    for name in [name for name in os.environ if name.startswith("KAIROS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("KAIROS_CONFIG", str(EXAMPLE))
    return monkeypatch


def test_every_setting_is_in_the_example_and_nothing_else_is():
    documented = flat_names(tomllib.loads(uncommented(EXAMPLE.read_text())))

    assert documented == set(setting_names(Settings))


def test_an_unchanged_example_changes_nothing(example_alone, tmp_path):
    from_example = load_settings()

    (tmp_path / "empty.toml").touch()
    example_alone.setenv("KAIROS_CONFIG", str(tmp_path / "empty.toml"))
    assert from_example == load_settings()


def test_the_example_with_its_optional_settings_is_accepted(example_alone, tmp_path):
    text = uncommented(EXAMPLE.read_text()).replace('security = "none"', 'security = "starttls"')
    (tmp_path / "full.toml").write_text(text)
    example_alone.setenv("KAIROS_CONFIG", str(tmp_path / "full.toml"))

    assert load_settings().mail.smtp.username


def test_every_setting_is_explained_above_it_where_it_first_appears():
    section, seen = "", set()

    for above, line in pairwise(["", *EXAMPLE.read_text().splitlines()]):
        section = line.strip("[]") if line.startswith("[") else section
        found = SETTING.match(line)
        name = f"{section}.{found[1]}" if found else ""
        if found and name not in seen:
            assert above.startswith("# ") and not SETTING.match(above), f"say what {name} does, above it"
            seen.add(name)


# -- events, transports, commands


def event_names() -> set[str]:
    """Names that models, plugin and our own receipts use."""
    sources = [
        *(ROOT / "dbt_project/models").rglob("*.sql"),
        ROOT / "collector/static/kairos-engagement.js",
        ROOT / "collector/unsubscribe.py",
        ROOT / "collector/hits.py",
        ROOT / "orchestration/live/answers.py",
        ROOT / "orchestration/live/receipts.py",
        ROOT / "orchestration/live/facts.py",
    ]
    exits = (ROOT / "dbt_project/seeds/exits.csv").read_text().splitlines()[1:]
    quoted = {name for source in sources for name in EVENT_NAME.findall(source.read_text())}
    return quoted | {row.split(",")[1] for row in exits}


def transports() -> set[str]:
    """Modules of their own; what only helps one is named after it."""
    names = {path.stem for path in (ROOT / "senders/transports").glob("*.py")} - {"__init__", "base"}
    return {name for name in names if not any(name.startswith(f"{other}_") for other in names)}


def test_every_event_name_we_read_or_write_is_documented():
    """Those that come from outside in events.md, our own also in architecture.md."""
    outside = (DOCS / "events.md").read_text()
    ours = outside + (DOCS / "architecture.md").read_text()

    assert {
        name for name in event_names() if name not in (ours if OWN_EVENT.match(name) else outside)
    } == set()


def test_every_transport_is_documented():
    text = (DOCS / "adding-a-transport.md").read_text()

    assert {name for name in transports() if not re.search(rf"`{name}(\.py)?`", text)} == set()


def test_the_readme_shows_both_commands_and_every_command_of_the_cli():
    commands = [command.name or command.callback.__name__ for command in app.registered_commands]
    visible = {
        name for name, command in zip(commands, app.registered_commands, strict=True) if not command.hidden
    }
    groups = {group.name for group in app.registered_groups}

    assert "make demo" in README and "make test" in README
    assert {name for name in visible | groups if f"kairos {name}" not in README} == set()


def test_the_readme_keeps_a_place_for_measured_figures():
    assert README.index("<!-- bench -->") < README.index("<!-- /bench -->")


# -- decisions and links


def test_every_decision_is_listed():
    index = (DOCS / "decisions/README.md").read_text()
    pages = sorted(path.name for path in (DOCS / "decisions").glob("[0-9]*.md"))

    assert [page for page in pages if f"]({page})" not in index] == []
    assert [page[:4] for page in pages] == [f"{number:04d}" for number in range(1, len(pages) + 1)]


def markdown() -> list[Path]:
    """Every page of ours."""
    folders = [
        DOCS,
        ROOT / "collector",
        ROOT / "dbt_project",
        ROOT / "senders",
        ROOT / "simulator",
        ROOT / "tests",
    ]
    found = [path for folder in folders for path in folder.rglob("*.md")]
    pages = [*ROOT.glob("*.md"), ROOT / "data/README.md", *found]
    return sorted(path for path in pages if not {"node_modules", "target"} & set(path.parts))


def anchors(page: Path) -> set[str]:
    """Headings as a link names them."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def broken_links(page: Path) -> Iterator[str]:
    """Relative links of a page that lead nowhere."""
    for link in LINK.findall(FENCE.sub("", page.read_text())):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            yield link


@pytest.mark.parametrize("page", markdown(), ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_lead_somewhere(page: Path):
    assert list(broken_links(page)) == []


@pytest.mark.parametrize("page", markdown(), ids=lambda page: str(page.relative_to(ROOT)))
def test_sentences_have_lines_of_their_own(page: Path):
    prose = [line for line in FENCE.sub("", page.read_text()).splitlines() if line[:1].isalpha()]

    assert [line for line in prose if re.search(r"[a-z)`]\. [A-Z][a-z]+ [a-z]", line)] == []
