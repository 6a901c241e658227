"""Mustache and Handlebars, written over into Jinja line by line.

So a template that somebody brings along meets the same sandbox, escaping, limits and checks as ours.
The contract says what is a list and what is an object, so every name is resolved here, once, at load;
what is outside the subset is refused with its line.
"""

import re
from dataclasses import dataclass, field

from senders.rendering.linter import TemplateRefused
from senders.rendering.shapes import ANY, Shape
from senders.rendering.variables import CONTRACT

SUFFIXES = (".mustache", ".hbs")

_TAG = re.compile(r"\{\{(?P<open>~?)(?P<comment>!--.*?--|!.*?|[^{!].*?|\{.*?\})(?P<close>~?)\}\}", re.DOTALL)
_PATH = re.compile(r"(?:\.\./)*(?:@root\.)?(?:this|\.|[A-Za-z_][A-Za-z0-9_]*)(?:\.[A-Za-z_][A-Za-z0-9_]*)*")
_LINK = re.compile(r'\b(?:href|src|background)="$', re.IGNORECASE)
_EQUAL = re.compile(r'\(eq\s+(\S+)\s+(?:("[^"{}\\]*"|\d+)|(\S+))\)')
_MONEY = re.compile(r"money\s+(\S+)(?:\s+(\S+))?")
_LOOP = {"@index": "loop.index0", "@first": "loop.first", "@last": "loop.last"}


@dataclass(frozen=True)
class _Frame:
    """One level of `{{#…}}`: what names mean in it, and what closes it."""

    expression: str  # "" at the root
    shape: Shape
    closes: str = ""  # the name in {{/…}}
    end: str = ""


@dataclass
class _Translation:
    handlebars: bool
    html: bool
    frames: list[_Frame] = field(default_factory=lambda: [_Frame("", CONTRACT)])
    line: int = 1

    def refuse(self, problem: str) -> TemplateRefused:
        return TemplateRefused(self.line, problem)


def to_jinja(source: str, name: str) -> str:
    """The same template in Jinja, with the same lines. Raises TemplateRefused."""
    work = _Translation(name.endswith(".hbs"), ".html." in name)
    out, end = [], 0
    for tag in _TAG.finditer(source):
        before = source[end : tag.start()]
        out.append(_literal(before, work))
        out.append(_tag(tag, before, work))
        work.line += tag[0].count("\n")
        end = tag.end()
    out.append(_literal(source[end:], work))
    if len(work.frames) > 1:
        raise work.refuse(f"{{{{#{work.frames[-1].closes}}}}} is never closed")
    return "".join(out)


def _literal(text: str, work: _Translation) -> str:
    """What is text there must not become a tag here: a blank between the braces keeps it text."""
    work.line += text.count("\n")
    if "{{" in text:
        raise work.refuse("this {{ is no tag that is supported, or is never closed")
    return re.sub(r"\{(?=[%#])", "{ ", text)


def _tag(tag: re.Match[str], before: str, work: _Translation) -> str:
    inside = tag["comment"].strip()
    if inside.startswith("!"):
        return "{#" + "\n" * tag[0].count("\n") + "#}"
    if not inside:
        raise work.refuse("an empty tag: name a value in it, or take it away")
    if inside[0] in "{&":
        raise work.refuse("values are always escaped: write two braces")
    if inside[0] in "=<$*":
        raise work.refuse(f"{{{{{inside[0]} is not supported: see docs/for-marketers.md")
    return _spaced(_translate(" ".join(inside.split()), before, work), tag) + "\n" * tag[0].count("\n")


def _spaced(jinja: str, tag: re.Match[str]) -> str:
    """`~` eats blanks, as Jinja's `-` does."""
    if tag["open"]:
        jinja = f"{jinja[:2]}-{jinja[2:]}"
    return f"{jinja[:-2]}-{jinja[-2:]}" if tag["close"] else jinja


def _translate(inside: str, before: str, work: _Translation) -> str:
    match inside[0]:
        case "#":
            return _open(inside[1:].strip(), work)
        case "^" if inside[1:].strip():
            return _push(inside[1:].strip(), f"not {_truth(inside[1:].strip(), work)}", work)
        case "/":
            return _close(inside[1:].strip(), work)
        case ">":
            return _partial(inside[1:].strip(), work)
    if work.handlebars and (inside in ("else", "^") or inside.startswith("else if ")):
        return _otherwise(inside, work)
    return _print(inside, before, work)


def _open(inside: str, work: _Translation) -> str:
    word, _, rest = inside.partition(" ")
    if not rest:
        return _section(inside, inside, work)
    if not work.handlebars:
        raise work.refuse(f"{{{{#{inside}}}}} is not Mustache: name the file .hbs for Handlebars")
    match word:
        case "if":
            return _push(word, _truth(rest, work), work)
        case "unless":
            return _push(word, f"not {_truth(rest, work)}", work)
        case "each" | "with":
            return _section(rest, word, work)
    raise work.refuse(f"helper {word!r} is not supported (there are if, unless, each, with)")


def _section(path: str, closes: str, work: _Translation) -> str:
    """A list is gone through; an object becomes the place where names are looked up."""
    expression, shape = _resolve(path, work)
    if shape.kind == "list":
        one = f"one{len(work.frames)}"
        work.frames.append(_Frame(one, shape.element or ANY, closes, "{% endfor %}"))
        return f'{{% for {one} in {expression}|default("", true) %}}'
    if closes == "each":
        raise work.refuse(f"{path!r} is no list: use {{{{#with}}}} or {{{{#if}}}}")
    here = _Frame(expression, shape) if shape.kind == "object" else work.frames[-1]
    work.frames.append(_Frame(here.expression, here.shape, closes, "{% endif %}"))
    return f"{{% if {expression}|default(none) %}}"


def _push(closes: str, condition: str, work: _Translation) -> str:
    here = work.frames[-1]
    work.frames.append(_Frame(here.expression, here.shape, closes, "{% endif %}"))
    return f"{{% if {condition} %}}"


def _otherwise(inside: str, work: _Translation) -> str:
    if len(work.frames) == 1:
        raise work.refuse("{{else}} stands outside of any block")
    condition = inside.removeprefix("else if ")
    return "{% else %}" if condition == inside else f"{{% elif {_truth(condition, work)} %}}"


def _close(name: str, work: _Translation) -> str:
    frame = work.frames[-1]
    if len(work.frames) == 1 or frame.closes != name:
        wanted = f", expected {{{{/{frame.closes}}}}}" if frame.closes else ""
        raise work.refuse(f"{{{{/{name}}}}} closes nothing that is open{wanted}")
    work.frames.pop()
    return frame.end


def _partial(name: str, work: _Translation) -> str:
    if not re.fullmatch(r"[a-z_]+", name) or len(work.frames) > 1:
        raise work.refuse("a partial is a shared part such as {{> items}}, outside of blocks")
    return f'{{% include "_shared/{name}.{"html" if work.html else "txt"}.j2" %}}'


def _truth(path: str, work: _Translation) -> str:
    equal = _EQUAL.fullmatch(path) if work.handlebars else None
    if equal:
        right = equal[2] or _resolve(equal[3], work)[0]
        return f"{_resolve(equal[1], work)[0]} == {right}"
    return f"({_resolve(path, work)[0]}|default(none))"


def _print(inside: str, before: str, work: _Translation) -> str:
    money = _MONEY.fullmatch(inside) if work.handlebars else None
    if money:
        return _money(_resolve(money[1], work)[0], _resolve(money[2] or "@root.currency", work)[0])
    expression, shape = _resolve(inside, work, prints=True)
    if expression.endswith("|money"):
        return _money(expression.removesuffix("|money"), "currency")
    if shape.kind in ("list", "object"):
        raise work.refuse(f"{inside!r} is a {shape.kind}: open it with {{{{#{inside}}}}}")
    if (work.html and _LINK.search(before)) or (not work.html and expression.endswith("url")):
        return f"{{{{ {expression}|url }}}}"
    return f'{{{{ {expression} if {expression} is defined and {expression} is not none else "" }}}}'


def _money(amount: str, currency: str) -> str:
    return f'{{{{ {amount}|money({currency}) if {amount} is number else "" }}}}'


def _resolve(path: str, work: _Translation, prints: bool = False) -> tuple[str, Shape]:
    """The expression and shape of a path; `price_text` is `price` with its currency."""
    if path in _LOOP and any(frame.end == "{% endfor %}" for frame in work.frames):
        return _LOOP[path], ANY
    if not _PATH.fullmatch(path):
        raise work.refuse(f"{path!r} is not supported: write a name, or see docs/for-marketers.md")
    frames = work.frames[:]
    while path.startswith("../"):
        path = path[3:]
        frames = [frame for frame in frames if frame.expression != frames[-1].expression] or frames[:1]
    if path.startswith("@root."):
        frames, path = frames[:1], path[6:]
    if path in (".", "this"):
        return frames[-1].expression, frames[-1].shape
    path = path.removeprefix("this.")
    for frame in reversed(frames[-1:] if work.handlebars else frames):
        found = _below(frame, path.split("."), prints)
        if found:
            return found
    raise work.refuse(f"nothing is called {path!r} here: senders/context.py lists what there is")


def _below(frame: _Frame, names: list[str], prints: bool) -> tuple[str, Shape] | None:
    expression, shape = frame.expression, frame.shape
    for name in names:
        fields = shape.fields or {}
        amount = fields.get(name.removesuffix("_text")) if prints and name.endswith("_text") else None
        if name not in fields and not (amount and amount.kind == "number"):
            return None
        money = name not in fields
        plain = name.removesuffix("_text") if money else name
        expression = f"{expression}.{plain}" if expression else plain
        shape = fields[plain]
        if money:
            return f"{expression}|money", shape
    return expression, shape
