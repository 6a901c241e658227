"""`check`: the shipped emails are fine, and what is planted is found with its place and a cure."""

import json
import re
import shutil
import time
from pathlib import Path

import pytest

from senders.check import Branch, Subject, check
from senders.context import Context
from senders.render import SAMPLES, TEMPLATES
from senders.rendering import clients
from senders.rendering.flatten import Place
from tests.senders.support import RENDERER

SAMPLE = json.loads(SAMPLES.read_text())
BLOCKS = [
    "items", "product", "viewed", "similar", "accessories", "category", "proof", "review", "size_guide", "loyalty",
    "coupon", "stock", "features", "offer", "first_name", "preheader", "page_title", "cart_value",
]  # fmt: skip
HERE = Place(("seeds/routes.csv", 2))
CANIEMAIL = Path(__file__).parents[3] / "shared/data/caniemail/_features"


@pytest.fixture
def folder(tmp_path):
    return Path(shutil.copytree(TEMPLATES, tmp_path / "templates"))


def found(folder, branches=(), subjects=()):
    return [str(finding) for finding in check(branches, subjects, folder)]


def plant(folder, html, page="winback/touch_1"):
    """Put something into the first line of an email's content."""
    path = folder / f"{page}.html.j2"
    path.write_text(path.read_text().replace("{% block content %}\n", "{% block content %}\n" + html + "\n"))
    return f"{page}.html.j2 line 4: "


def test_the_shipped_emails_are_fine(folder):
    assert found(folder) == []


def test_the_sample_keeps_the_contract():
    Context.model_validate(SAMPLE | {"trigger_name": "x"})


@pytest.mark.parametrize("page", RENDERER.templates())
@pytest.mark.parametrize("route", ["high_value", "vip", "mid_value", "regular", None])
def test_an_email_with_everything_is_small_and_has_a_text_that_reads_well(page, route):
    body = RENDERER.render(page, "Hi", SAMPLE | {"trigger_name": "x", "route": route})

    assert len(body.html.encode()) < 100_000
    assert "\n\n\n" not in body.text and not re.search(r"[<>{}]|&\w+;", body.text)


@pytest.mark.parametrize("page", RENDERER.templates())
@pytest.mark.parametrize("block", BLOCKS)
def test_every_block_may_be_missing(page, block):
    content = {key: value for key, value in SAMPLE.items() if key != block} | {"trigger_name": "x"}
    body = RENDERER.render(page, "Hi", content)

    assert SAMPLE["unsubscribe_url"] in body.html and "None" not in body.text


@pytest.mark.parametrize("page", RENDERER.templates())
def test_an_email_without_any_block_promises_nothing(page):
    known = ("shop", "unsubscribe_url", "cart_url", "page_url")
    body = RENDERER.render(page, "Hi", {key: SAMPLE[key] for key in known} | {"trigger_name": "x"})

    for part in (body.html.partition("</head>")[2], body.text):
        assert not re.search(r"Valid until|Only \d|points are|people who|out of 5|Goes well", part)


@pytest.mark.parametrize(
    "page", ["page_depth/touch_1", "time_on_page/touch_1", "feature_exploration/touch_1"]
)
def test_who_looked_at_prices_reads_what_others_say_first(page):
    """Before the button and the features, instead of after them."""
    by_proof = RENDERER.render(page, "Hi", SAMPLE | {"trigger_name": "x", "focus": "proof"}).text
    by_features = RENDERER.render(page, "Hi", SAMPLE | {"trigger_name": "x", "focus": "features"}).text

    assert by_proof.index("87 %") < by_proof.index("WHAT YOU LOOKED AT")
    assert by_features.index("87 %") > by_features.index("WHAT YOU LOOKED AT")
    assert by_proof.count("87 %") == by_features.count("87 %") == 1


def test_an_email_with_everything_is_cheap():
    content = SAMPLE | {"trigger_name": "x"}
    RENDERER.render("page_depth/touch_1", "Hi", content)
    started = time.process_time()
    for _ in range(200):
        RENDERER.render("page_depth/touch_1", "Hi", content)

    assert (time.process_time() - started) / 200 < 0.001  # about 0.22 ms on one core


PLANTED = [
    ("<p>{{ fist_name }}</p>", "nothing is called 'fist_name': did you mean 'first_name'?"),
    ("<p>{{ coupon.kode }}</p>", "nothing is called 'kode' there: did you mean 'code'?"),
    ("{% for one in similar %}{{ one.titel }}{% endfor %}", "nothing is called 'titel' there"),
    ("{% set one = product or items|first %}<p>{{ one.nome }}</p>", "nothing is called 'nome' there"),
    ('<a href="javascript:x">x</a>', "is not a full web address"),
    ('<img src="/coat.png" alt="">', "begin it with https://"),
    ('<div class="x"><video></video></div>', "<video> does not work in mail programs: link a picture"),
    ('<p style="display: flex">x</p>', "use tables for columns"),
    ("<p>{{ x.__class__ }}</p>", "attribute __class__ is not allowed"),
]


@pytest.mark.parametrize(("html", "problem"), PLANTED)
def test_a_planted_mistake_is_found_where_it_is(folder, html, problem):
    place = plant(folder, html)

    (finding,) = found(folder)
    assert finding.startswith(place) and problem in finding


def test_a_mistake_in_a_shared_part_is_named_once(folder):
    (folder / "_shared/proof.html.j2").write_text("<p>{{ prof }}</p>\n")
    (folder / "_shared/style.css").write_text("\n.x { position: absolute; }\n")

    names, style = found(folder)
    assert names.startswith("_shared/proof.html.j2 line 1: ")
    assert style.startswith("_shared/style.css line 2: ")


def test_a_branch_needs_a_template_and_a_subject(folder):
    branch = Branch("cart_abandonment", "vip", "cart_abandonment/touch_9", HERE)
    subject = Subject("cart_abandonment", "regular", "Hi {{ nmae }}", Place(("seeds/variants.csv", 3)))

    assert found(folder, [branch], [subject]) == [
        "seeds/routes.csv line 2: no template 'cart_abandonment/touch_9': "
        "add senders/templates/cart_abandonment/touch_9.html.j2 and .txt.j2",
        "seeds/routes.csv line 2: cart_abandonment/vip has no subject: add a row to dbt_project/seeds/variants.csv",
        "seeds/variants.csv line 3: nothing is called 'nmae': senders/context.py lists what there is",
    ]


def test_a_subject_that_cannot_be_read_is_found(folder):
    (finding,) = found(folder, [], [Subject("x", "y", "{{ a|safe }}", Place(("seeds/variants.csv", 3)))])

    assert "seeds/variants.csv line 3: " in finding and "|safe is not allowed" in finding


@pytest.mark.skipif(not CANIEMAIL.is_dir(), reason="needs the shared folder with caniemail's figures")
@pytest.mark.parametrize(
    "feature",
    ["html-form", "html-video", "html-svg", "html-link", "css-display-flex", "css-position", "css-variables",
     "css-animation", "css-transform", "css-clip-path", "css-filter"],
)  # fmt: skip
def test_what_we_refuse_is_missing_in_gmail_or_outlook(feature):
    """Figures judge our table: none of its rows works everywhere."""
    text = next(CANIEMAIL.glob(f"{feature}*.md")).read_text()
    stats = text.partition("stats:")[2]
    verdicts = {
        client: re.findall(r'"([nay])[^"]*"', stats.partition(f"{client}:")[2].partition("\n    }")[0])
        for client in ("gmail", "outlook")
    }

    assert any("n" in verdict for verdict in verdicts.values()), verdicts


def test_every_row_of_the_table_says_what_to_write_instead():
    assert all(len(cure) > 10 for cure in (*clients.TAGS.values(), *clients.STYLES.values()))


@pytest.mark.parametrize(
    ("page", "finds"),
    [("cart_abandonment/touch_1", 1), ("cart_abandonment/touch_2", 0), ("nowhere/touch_1", 1)],
)
def test_a_branch_with_a_coupon_needs_a_template_that_shows_its_code(folder, page, finds):
    subject = Subject("t", "r", "Hello", HERE)
    said = found(folder, [Branch("t", "r", page, HERE, has_coupon=True)], [subject])

    assert len(said) == finds
    assert finds == 0 or "no template" in said[0] or "r offers a coupon" in said[0]
    assert found(folder, [Branch("t", "r", "cart_abandonment/touch_1", HERE)], [subject]) == []
