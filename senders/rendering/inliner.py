"""Inlines the shared style sheet into template sources, once, at load: mail programs ignore style sheets.

Jinja's braces do not survive an HTML parser, so each is replaced by a token and put back afterwards.
`@media` rules cannot be inlined; they stay in the layout's own <style>.
"""

import re

import css_inline

_JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_TOKEN = re.compile(r"<!--kairostoken(\d+)x-->|kairostoken(\d+)x")
_BODY = re.compile(r"(?P<head>.*<body[^>]*>\n?)(?P<body>.*)(?P<foot></body>.*)", re.DOTALL)


class LayoutShifted(ValueError):
    """Inlining moved lines, so errors would point at the wrong ones."""


def inline(source: str, css: str, name: str) -> str:
    """The same template with style attributes. A full page keeps its head as it is."""
    page = _BODY.fullmatch(source)
    if page is None:
        return _fragment(source, css, name)
    return page["head"] + _fragment(page["body"], css, name) + page["foot"]


def _fragment(source: str, css: str, name: str) -> str:
    pieces: list[str] = []

    def hide(match: re.Match[str]) -> str:
        pieces.append(match[0])
        token = f"kairostoken{len(pieces) - 1}x"
        return token if match[0].startswith("{{") else f"<!--{token}-->"

    hidden = _JINJA.sub(hide, source)
    inliner = css_inline.CSSInliner(load_remote_stylesheets=False)
    styled = inliner.inline_fragment(hidden, css)
    return _restore(styled, pieces, source, name)


def _restore(styled: str, pieces: list[str], source: str, name: str) -> str:
    found = [int(first or second) for first, second in _TOKEN.findall(styled)]
    if sorted(found) != list(range(len(pieces))):
        raise LayoutShifted(
            f"{name}: put {{% … %}} between tags, and {{{{ … }}}} in text or attribute values"
        )
    restored = _TOKEN.sub(lambda match: pieces[int(match[1] or match[2])], styled)
    if restored.count("\n") != source.count("\n"):
        raise LayoutShifted(f"{name}: write every tag on one line, so that errors can name the line")
    return restored
