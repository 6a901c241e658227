"""Templates: every email is right with much, with little and with nothing known, and no template escapes."""

import re
import shutil
import time
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from senders.render import TEMPLATES, Renderer, RenderError
from tests.senders.support import CART, RENDERER, SHOP

COMMON = {
    "shop": SHOP,
    "unsubscribe_url": "https://shop.example/u/d1",
    "trigger_name": "x",
    "first_name": "Ada",
}
PRODUCT = {
    "product_id": "1",
    "name": "Coat",
    "price": 189.0,
    "image_url": None,
    "url": "https://shop.example/p/1",
}
FULL = {
    "cart_abandonment/touch_1": CART,
    "page_depth/touch_1": {"page_url": "https://shop.example/p/1", "page_title": "Coat", "product": PRODUCT},
    "time_on_page/touch_1": {
        "page_url": "https://shop.example/p/1",
        "page_title": "Coat",
        "product": PRODUCT,
    },
    "feature_exploration/touch_1": {
        "features": ["Video demo", "FAQ"],
        "page_url": "https://shop.example/p/1",
        "page_title": "Coat",
    },
}
BARE_ITEM = {
    "product_id": "1",
    "name": "Coat",
    "price": None,
    "quantity": None,
    "image_url": None,
    "url": None,
}
BARE = {
    "cart_abandonment/touch_1": {
        "items": [BARE_ITEM], "cart_value": None, "currency": None, "cart_url": "https://shop.example/cart",
    },
    "page_depth/touch_1": {"page_url": None, "page_title": None, "product": None},
    "time_on_page/touch_1": {"page_url": None, "page_title": None, "product": None},
    "feature_exploration/touch_1": {"features": [], "page_url": None, "page_title": None},
}  # fmt: skip


def render(template="cart_abandonment/touch_1", subject="Hi", **changes):
    return RENDERER.render(template, subject, COMMON | FULL[template] | changes)


def make(folder, html, text="x", parts=None):
    """A renderer over one page."""
    (folder / "_shared").mkdir(exist_ok=True)
    (folder / "_shared/style.css").write_text("")
    (folder / "page").mkdir(exist_ok=True)
    (folder / "page/touch_1.html.j2").write_text(html)
    (folder / "page/touch_1.txt.j2").write_text(text)
    for name, source in (parts or {}).items():
        (folder / "_shared" / name).write_text(source)
    return Renderer(folder)


@pytest.mark.parametrize("template", FULL)
@pytest.mark.parametrize("route", ["high_value", "mid_value", "education", None])
@pytest.mark.parametrize("contexts", [FULL, BARE], ids=["full", "bare"])
def test_every_template_renders_with_much_and_with_nothing(template, route, contexts):
    person = {"first_name": "Ada"} if contexts is FULL else {"first_name": None}
    body = RENDERER.render(template, "Hi", COMMON | contexts[template] | person | {"route": route})

    assert len(body.html.encode()) < 100_000
    assert "https://shop.example/u/d1" in body.html and "https://shop.example/u/d1" in body.text
    assert "None" not in body.html and "None" not in body.text
    assert "{{" not in body.html and "{%" not in body.html
    assert "12 Mill Lane" in body.html and "12 Mill Lane" in body.text
    assert "@media (prefers-color-scheme: dark)" in body.html


@pytest.mark.parametrize("template", FULL)
def test_pictures_have_a_description_and_nothing_is_loaded_from_elsewhere(template):
    picture = {"image_url": "https://shop.example/coat.jpg"}
    content = dict(FULL[template])
    content |= {"product": PRODUCT | picture} if "product" in content else {}
    content |= {"items": [item | picture for item in content["items"]]} if "items" in content else {}
    tags = Tags(RENDERER.render(template, "Hi", COMMON | content).html)

    assert all(attributes.get("alt") for tag, attributes in tags.seen if tag == "img")
    assert not [tag for tag, _ in tags.seen if tag in ("script", "link", "iframe", "form")]
    assert all("style" in attributes for tag, attributes in tags.seen if tag in ("a", "h1", "img"))


def test_the_three_branches_say_three_things():
    bodies = [render(route=route).text for route in ("high_value", "mid_value", "education")]

    assert (
        "LIVE DEMO" in bodies[0]
        and "FREE SHIPPING AND A DISCOUNT" in bodies[1]
        and "BEFORE YOU DECIDE" in bodies[2]
    )


def test_an_offer_from_the_seeds_is_shown_in_both_parts():
    offer = {"title": "Free shipping and 20 % off", "text": "Until Thursday, 18:00.", "code": "BACK20"}
    body = render(route="mid_value", offer=offer)

    for part in (body.html, body.text):
        assert "BACK20" in part and "Until Thursday" in part


def test_money_is_written_as_people_write_it():
    assert "$308.00" in render().html
    assert "¥1,200" in render(cart_value=1200.0, currency="JPY").html
    assert "SEK 99.50" in render(cart_value=99.5, currency="SEK").text


def test_names_are_escaped_in_html_and_plain_in_text():
    body = render(
        items=[BARE_ITEM | {"name": '<b>"Tom & Jerry"</b>'}], first_name="<script>alert(1)</script>"
    )

    assert "&lt;script&gt;" in body.html and "<script>alert" not in body.html
    assert "Tom &amp; Jerry" in body.html and '<b>"Tom & Jerry"</b>' in body.text


@pytest.mark.parametrize(
    "link",
    ["javascript:alert(1)", "data:text/html,x", "//evil.example", "https://good@evil.example/", "https://a\r\nb",
     'https://x/" onclick="y', "ftp://x.example/", "https:///nohost", "jAvAsCrIpT:x", " https://x.example", "https://[x"],
)  # fmt: skip
def test_a_link_that_is_not_a_plain_web_address_holds_the_email(link):
    with pytest.raises(RenderError, match=r"_shared/button\.html\.j2 line 2: .* is not a plain http"):
        render(cart_url=link)


def test_an_error_names_template_line_and_variable():
    without = {
        key: value for key, value in (COMMON | FULL["page_depth/touch_1"]).items() if key != "page_url"
    }
    with pytest.raises(RenderError, match=r"page_depth/touch_1\.html\.j2 line \d+: 'page_url' is undefined"):
        RENDERER.render("page_depth/touch_1", "Hi", without | {"product": None})
    with pytest.raises(RenderError, match=r"the subject line 1: 'nmae' is undefined in \{\{ nmae \}\}"):
        render(subject="Hi {{ nmae }}")
    with pytest.raises(RenderError, match=r"add senders/templates/nope/touch_1\.html\.j2"):
        RENDERER.render("nope/touch_1", "Hi", COMMON)


def test_lines_in_errors_are_those_of_the_file(tmp_path):
    renderer = make(
        tmp_path,
        '{% extends "_shared/base.html.j2" %}\n{% block content %}\n<p>fine</p>\n<p>\n{{ missing }}</p>\n{% endblock %}\n',
        parts={
            "base.html.j2": "<html>\n<body>\n<div>\n{% block content %}{% endblock %}\n</div>\n</body>\n</html>\n"
        },
    )
    with pytest.raises(
        RenderError, match=r"^page/touch_1\.html\.j2 line 5: 'missing' is undefined in {{ missing }}"
    ):
        renderer.render("page/touch_1", "Hi", {})


@given(st.text(max_size=300))
def test_a_subject_is_one_clean_line_whatever_it_is_made_of(name):
    subject = render(subject="Hi {{ name }}", name=name).subject

    assert len(subject) <= 200 and subject == " ".join(subject.split())
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202e]", subject)


ESCAPES = [
    # Python's insides
    "{{ ''.__class__ }}", "{{ ''.__class__.__mro__ }}", "{{ ''['__class__'] }}", "{{ x.__init__ }}",
    "{{ ''|attr('__class__') }}", "{{ [''|attr('format')] }}", "{{ '{0.__class__}'.format(x) }}",
    "{{ '%s'|format(x) }}", "{{ x|map(attribute='__class__') }}", "{{ x|map('upper') }}", "{{ self }}",
    "{{ self.__init__.__globals__ }}", "{{ lipsum() }}", "{{ lipsum.__globals__ }}", "{{ cycler('a') }}",
    "{{ cycler.__init__ }}", "{{ joiner(',') }}", "{{ namespace(a=1) }}", "{{ dict(a=1) }}", "{{ range(9) }}",
    "{{ x() }}", "{{ ''.join([]) }}", "{{ x.items() }}", "{{ x.update({}) }}", "{{ x.pop() }}", "{{ x.clear() }}",
    "{{ ''.upper() }}", "{{ config }}{{ x.y() }}", "{{ _budget }}", "{{ _budget._check_time }}", "{{ x._y }}",
    "{{ x['_y'] }}", "{{ x[y] }}", "{{ x[1:2] }}", "{{ x|list }}", "{{ x|groupby('a') }}", "{{ x|selectattr('a') }}",
    "{{ x|rejectattr('a') }}", "{{ x|xmlattr }}", "{{ x|tojson }}", "{{ x|pprint }}", "{{ x|safe }}",
    "{{ '<b>'|safe }}", "{{ x|forceescape }}", "{{ x|striptags }}", "{{ x|urlize }}", "{{ x|filesizeformat }}",
    "{{ x|join(',') }}", "{{ x|replace('a', 'b') }}", "{{ 'a'|center(1000000000) }}", "{{ x|indent(99999999) }}",
    "{{ x|wordwrap }}", "{{ x|format(1) }}", "{{ x|sort }}", "{{ x|unique }}", "{{ x|batch(9) }}", "{{ x|slice(9) }}",
    "{{ x|sum }}", "{{ x|random }}", "{{ x|reverse }}", "{{ x|dictsort }}", "{{ x|string }}", "{{ x|_counted }}",
    # growing without bound
    "{{ 'a' * 1000000000 }}", "{{ 'a' + 'b' }}", "{{ 9 ** 9 ** 9 }}", "{{ 9 ** 9 }}", "{{ 9 % 2 }}", "{{ 9 // 2 }}",
    "{{ '%1000000000d' % 1 }}", "{{ 'a' ~ 'b' }}", "{{ [1, 2] }}", "{{ {'a': 1} }}", "{{ (1, 2) }}", "{{ [x] * 9 }}",
    "{% set a %}{{ x }}{{ x }}{% endset %}", "{% set x.y = 1 %}", "{% set a, b = x %}",
    "{% for i in x recursive %}{{ loop(i) }}{% endfor %}", "{% for i in range(9) %}{% endfor %}",
    # other ways in
    "{% macro m() %}{{ m() }}{% endmacro %}", "{% call m() %}{% endcall %}", "{% import 'a' as a %}",
    "{% from 'a' import b %}", "{% include 'a' %}", "{% include x %}", "{% include ['a', 'b'] %}",
    "{% extends x %}", "{% extends '/etc/passwd' %}", "{% include '/etc/passwd' %}", "{% include '../../x' %}",
    "{% block a %}{% endblock %}", "{% filter upper %}x{% endfilter %}", "{% autoescape false %}{{ x }}{% endautoescape %}",
    "{% raw %}{{ x }}{% endraw %}{{ x.__class__ }}", "{% with a = x %}{{ a }}{% endwith %}", "{% do x.pop() %}",
    "{% debug %}", "{% trans %}x{% endtrans %}", "{% break %}", "{{ x is callable }}", "{{ x is sameas(y) }}",
    "{{ x if x is filter }}", "{{ x.__class__ if true }}", "{{ true.real }}", "{{ x|default(y.__class__) }}",
    "{{ loop.__init__ }}", "{{ caller() }}", "{{ varargs }}{{ x() }}", "{{ ''.format_map(x) }}", "{{ gettext('a') }}",
]  # fmt: skip


@pytest.mark.parametrize("payload", ESCAPES)
def test_a_template_cannot_escape(payload):
    """Refused at load or while rendering, in well under a second, and never printing anything."""
    started = time.monotonic()
    with pytest.raises(RenderError):
        RENDERER.render(
            "page_depth/touch_1", payload, COMMON | FULL["page_depth/touch_1"] | {"x": {"a": 1}, "y": "a"}
        )
    assert time.monotonic() - started < 1


def test_the_corpus_of_escapes_is_large_enough():
    assert len(set(ESCAPES)) >= 100


@pytest.mark.parametrize(
    ("html", "problem"),
    [
        ("<a href={{ x|url }}>x</a>", "double quotes"),
        ("<a href='{{ x|url }}'>x</a>", "double quotes"),
        ('<a href="{{ x }}">x</a>', r"with \|url"),
        ('<a href="https://x/{{ x|url }}">x</a>', r"with \|url"),
        ('<a href="{{ x|url|upper }}">x</a>', r"with \|url"),
        ('<img src="{{ x|trim }}">', r"with \|url"),
        ('<td background="{{ x }}">', r"with \|url"),
        ('<p onclick="{{ x }}">', "cannot stand in onclick"),
        ('<p style="color: {{ x }}">', "cannot stand in style"),
        ("<p {{ x }}>y</p>", "attribute name|inside a tag"),
        ("<{{ x }}>", "tag"),
        ("<script>{{ x }}</script>", "in a script"),
        ("<style>{{ x }}</style>", "in a script or a style"),
        ("<!-- {{ x }} -->", "inside a tag, a comment"),
    ],
)
def test_a_value_in_a_dangerous_place_is_refused_at_load(tmp_path, html, problem):
    with pytest.raises(RenderError, match=problem):
        make(tmp_path, html)


def test_parts_cannot_include_parts(tmp_path):
    with pytest.raises(RenderError, match="extends, block and include"):
        make(
            tmp_path,
            '{% include "_shared/a.html.j2" %}\n',
            parts={"a.html.j2": '{% include "_shared/a.html.j2" %}\n'},
        )


def test_loops_output_and_printing_are_limited(tmp_path):
    renderer = make(tmp_path, "{% for a in x %}{% for b in x %}{% endfor %}{% endfor %}")
    with pytest.raises(RenderError, match="loop iterations"):
        renderer.render("page/touch_1", "Hi", {"x": list(range(1000))})

    renderer = make(tmp_path, "{% for a in x %}{{ y }}{% endfor %}")
    with pytest.raises(RenderError, match="more than 100000 characters"):
        renderer.render("page/touch_1", "Hi", {"x": list(range(50)), "y": "z" * 9999})
    with pytest.raises(RenderError, match="a value is None"):
        renderer.render("page/touch_1", "Hi", {"x": [1], "y": None})
    with pytest.raises(RenderError, match="loop over it"):
        renderer.render("page/touch_1", "Hi", {"x": [1], "y": [1]})


def test_an_unused_variable_error_is_found_before_anyone_is_mailed(tmp_path):
    with pytest.raises(RenderError, match=r"page/touch_1\.html\.j2 line 2: "):
        make(tmp_path, "<p>\n{{ oops </p>")


def test_a_render_is_cheap():
    context = COMMON | CART | {"route": "mid_value"}
    started = time.process_time()
    for _ in range(300):
        RENDERER.render("cart_abandonment/touch_1", "Hi", context)

    # About 0.08 ms here; ten times that would mean that something was compiled again each time.
    assert (time.process_time() - started) / 300 < 0.0008


class Tags(HTMLParser):
    """Collects tags with their attributes."""

    def __init__(self, html):
        super().__init__()
        self.seen = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))


def test_a_broken_template_concerns_its_own_emails_only(tmp_path):
    """Live, one edit that does not compile must not stop all other emails."""
    folder = shutil.copytree(TEMPLATES, tmp_path / "templates")
    (folder / "page_depth" / "touch_1.txt.j2").write_text("{{ oops | nosuch }}")

    renderer = Renderer(folder, strict=False)

    assert set(RENDERER.templates()) - set(renderer.templates()) == {"page_depth/touch_1"}
    with pytest.raises(RenderError, match=r"page_depth/touch_1\.txt\.j2"):
        renderer.render("page_depth/touch_1", "Hello", {})
    with pytest.raises(RenderError):
        Renderer(folder)
