"""Mustache and Handlebars: the same context, escaping and limits as ours, and refusals that name the line."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from senders.render import SAMPLES, Renderer, RenderError
from senders.rendering.foreign import to_jinja
from senders.rendering.linter import TemplateRefused

SAMPLE = json.loads(SAMPLES.read_text()) | {"trigger_name": "page", "route": "vip"}


def render(folder, language, html, text="x", **changes):
    """The HTML and text of one page that somebody brought along."""
    (folder / "_shared").mkdir()
    (folder / "_shared/footer.txt.j2").write_text("Unsubscribe: {{ unsubscribe_url|url }}\n")
    (folder / "page").mkdir()
    (folder / f"page/touch_1.html.{language}").write_text(html)
    (folder / f"page/touch_1.txt.{language}").write_text(text)
    body = Renderer(folder).render("page/touch_1", "Hi", SAMPLE | changes)
    return body.html, body.text


BOTH = [
    ("mustache", "{{first_name}}", "Ada"),
    ("mustache", "{{#first_name}}Hi {{first_name}}{{/first_name}}{{^first_name}}Hello{{/first_name}}", "Hi Ada"),
    ("mustache", "{{#items}}[{{name}} {{price_text}}]{{/items}}", "[Merino wrap coat $189.00][Ankle boots $59.50]"),
    ("mustache", "{{#items}}{{quantity}}{{first_name}} {{/items}}", "1Ada 2Ada "),
    ("mustache", "{{#coupon}}{{code}}, {{percent}}{{/coupon}}", "BACK10, 10"),
    ("mustache", "{{coupon.code}}", "BACK10"),
    ("mustache", "{{^stock}}plenty{{/stock}}", ""),
    ("mustache", "{{#features}}{{.}};{{/features}}", "Fit;Materials;Care;"),
    ("mustache", "{{! a remark }}x", "x"),
    ("mustache", "{{shop.name}}", "Linnet &amp; Co."),
    ("mustache", '<a href="{{cart_url}}">x</a>', '<a href="https://shop.example/cart">x</a>'),
    ("mustache", "{% x %}{# y #}", "{ % x %}{ # y #}"),
    ("hbs", "{{#if coupon}}yes{{else}}no{{/if}}", "yes"),
    ("hbs", "{{#unless coupon}}yes{{else}}no{{/unless}}", "no"),
    ("hbs", "{{#each features}}{{@index}}{{this}}{{#unless @last}}, {{/unless}}{{/each}}", "0Fit, 1Materials, 2Care"),
    ("hbs", "{{#each items}}{{../first_name}}{{this.quantity}}{{@root.route}} {{/each}}", "Ada1vip Ada2vip "),
    ("hbs", "{{#each items}}{{#with ../coupon}}{{code}}{{/with}}{{/each}}", "BACK10BACK10"),
    ("hbs", "{{#with coupon}}{{code}}{{/with}}", "BACK10"),
    ("hbs", '{{#if (eq route "vip")}}VIP{{else if coupon}}c{{else}}n{{/if}}', "VIP"),
    ("hbs", "{{money cart_value currency}}", "$308.00"),
    ("hbs", "{{#each size_guide.comparison}}{{size}}{{/each}}", "SML"),
    ("hbs", "a {{~first_name~}} b", "aAdab"),
    ("hbs", "{{!-- a {{remark}} --}}x", "x"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "source", "expected"), BOTH)
def test_the_languages_mean_here_what_they_mean_elsewhere(tmp_path, language, source, expected):
    assert render(tmp_path, language, source)[0] == expected


@pytest.mark.parametrize("language", ["mustache", "hbs"])
def test_what_is_missing_is_empty_and_what_is_hostile_is_escaped(tmp_path, language):
    html, text = render(
        tmp_path,
        language,
        "[{{first_name}}][{{page_title}}]",
        "{{page_title}}",
        first_name=None,
        page_title="<b>&",
    )

    assert html == "[][&lt;b&gt;&amp;]" and text == "<b>&\n"


def test_a_shared_part_can_stand_in_any_language(tmp_path):
    assert render(tmp_path, "mustache", "x", "Bye\n{{> footer}}\n")[1] == (
        "Bye\nUnsubscribe: https://shop.example/u/sample\n"
    )


REFUSED = [
    ("mustache", "\n{{{first_name}}}", "line 2: values are always escaped"),
    ("mustache", "{{&first_name}}", "always escaped"),
    ("mustache", "{{=<% %>=}}", "not supported"),
    ("mustache", "{{#if coupon}}{{/if}}", "name the file .hbs"),
    ("mustache", "\n\n{{fist_name}}", "line 3: nothing is called 'fist_name'"),
    ("mustache", "{{#items}}\n{{nme}}{{/items}}", "line 2: nothing is called 'nme'"),
    ("mustache", "{{#items}}x", "never closed"),
    ("mustache", "{{#items}}x{{/coupon}}", r"expected \{\{/items\}\}"),
    ("mustache", "{{items}}", "is a list: open it"),
    ("mustache", "{{first_name", "never closed"),
    ("mustache", "x\n{{ }}", "line 2: an empty tag"),
    ("mustache", "{{first_name.__class__}}", "not supported|nothing is called"),
    ("mustache", "{{> ../secret}}", "a partial is a shared part"),
    ("hbs", "{{#each coupon}}{{/each}}", "is no list"),
    ("hbs", "{{#each items}}{{first_name}}{{/each}}", "nothing is called 'first_name'"),
    ("hbs", "{{uppercase first_name}}", "not supported"),
    ("hbs", "{{#repeat 9}}x{{/repeat}}", "helper 'repeat' is not supported"),
    ("hbs", "{{else}}", "outside of any block"),
    ("hbs", "{{* decorator}}", "not supported"),
    ("hbs", "{{first_name.constructor}}", "nothing is called"),
    ("hbs", "<a href={{cart_url}}>x</a>", "double quotes"),
    ("hbs", "<script>{{first_name}}</script>", "in a script"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "source", "problem"), REFUSED)
def test_what_is_not_supported_is_refused_with_its_place(tmp_path, language, source, problem):
    with pytest.raises(RenderError, match=rf"page/touch_1\.html\.{language} line .*({problem})|{problem}"):
        render(tmp_path, language, source)


def test_a_dangerous_link_holds_the_email(tmp_path):
    with pytest.raises(RenderError, match="not a plain http"):
        render(tmp_path, "mustache", '<a href="{{cart_url}}">x</a>', cart_url="javascript:alert(1)")


def test_loops_draw_on_the_same_budget(tmp_path):
    with pytest.raises(RenderError, match="loop iterations"):
        render(tmp_path, "mustache", "{{#features}}x{{/features}}", features=["x"] * 2001)


def test_two_languages_for_one_part_are_one_too_many(tmp_path):
    render(tmp_path, "mustache", "x")
    (tmp_path / "page/touch_1.html.hbs").write_text("y")

    with pytest.raises(RenderError, match="keep one"):
        Renderer(tmp_path)


@given(
    st.lists(
        st.sampled_from(
            ["{{", "}}", "{", "%", "#", "/", "~", "items", "name", " ", "\n", "if", ".", "_", '"', "x"]
        )
    )
)
def test_whatever_is_brought_is_translated_or_refused(pieces):
    """And what comes out has as many lines as what went in, so that errors name the right one."""
    source = "".join(pieces)
    for name in ("p/touch_1.html.mustache", "p/touch_1.html.hbs"):
        try:
            jinja = to_jinja(source, name)
        except TemplateRefused as refused:
            assert 1 <= refused.line <= source.count("\n") + 1
        else:
            assert jinja.count("\n") == source.count("\n")
