"""What a template may contain: an allow-list of constructs, and of places where a value may stand."""

import re
from html.parser import HTMLParser

from jinja2 import nodes

NODES = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For, nodes.Assign, nodes.CondExpr,
    nodes.Name, nodes.Const, nodes.Getattr, nodes.Getitem, nodes.Filter, nodes.Test, nodes.Keyword,
    nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not,
    nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.Neg,
)  # fmt: skip
FILTERS = frozenset((
    "url", "money", "count_of", "capitalize", "default", "e", "escape", "first", "last", "length", "lower",
    "round", "title", "truncate", "trim", "upper",
))  # fmt: skip
TESTS = frozenset((
    "defined", "none", "number", "string", "mapping", "sequence", "odd", "even", "divisibleby",
    "eq", "ne", "lt", "le", "gt", "ge", "true", "false", "in",
))  # fmt: skip
URL_ATTRIBUTES = frozenset((
    "href", "src", "action", "background", "poster", "cite", "data", "formaction",
))  # fmt: skip
_FORBIDDEN_ATTRIBUTES = frozenset(("srcset", "style", "srcdoc", "ping"))


class TemplateRefused(ValueError):
    """A template uses something that emails do not need."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.line = line
        self.problem = problem


def check_nodes(tree: nodes.Template) -> None:
    """Refuse every construct that is not on the list."""
    for node in tree.find_all(nodes.Node):
        problem = _problem(node)
        if problem:
            raise TemplateRefused(node.lineno or 1, problem)


def _problem(node: nodes.Node) -> str | None:
    match node:
        case nodes.Filter(name=name) if name not in FILTERS:
            return f"filter |{name} is not allowed (allowed: {', '.join(sorted(FILTERS))})"
        case nodes.Test(name=name) if name not in TESTS:
            return f"test `is {name}` is not allowed"
        case nodes.Getattr(attr=attr) if attr.startswith("_"):
            return f"attribute {attr} is not allowed"
        case nodes.Getitem(arg=arg) if not isinstance(arg, nodes.Const):
            return "an index must be a constant"
        case nodes.Getitem(arg=nodes.Const(value=value)) if str(value).startswith("_"):
            return f"key {value} is not allowed"
        case nodes.Extends() | nodes.Include() | nodes.Block():
            return "extends, block and include take one plain name, and stand in pages, not in shared parts"
        case nodes.For(recursive=True):
            return "loops cannot be recursive"
        case nodes.Assign(target=target) if not isinstance(target, nodes.Name):
            return "`set` takes one plain name"
        case nodes.Name(name=name) if name.startswith("_") or name == "self":
            return f"name {name} is not allowed"
    return None if isinstance(node, NODES) else f"{type(node).__name__} is not allowed in an email template"


def check_places(tree: nodes.Template) -> None:
    """Refuse a value inside a tag, an unquoted attribute, a script, a style, or a link without |url."""
    scanner = _Scanner()
    for piece in _pieces(tree):
        scanner.take(piece)
    scanner.close()


def _pieces(tree: nodes.Node) -> list[nodes.TemplateData | nodes.Expr]:
    """Everything that prints, in source order."""
    found: list[nodes.TemplateData | nodes.Expr] = []
    for node in tree.iter_child_nodes():
        if isinstance(node, nodes.Output):
            found += node.nodes
        elif not isinstance(node, nodes.Expr):
            found += _pieces(node)
    return found


class _Scanner(HTMLParser):
    """Feeds the literal text to an HTML parser, each value replaced by a token that it must find again."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self._values: list[nodes.Expr] = []
        self._seen: set[int] = set()
        self._raw_text = False

    def take(self, piece: nodes.TemplateData | nodes.Expr) -> None:
        if isinstance(piece, nodes.TemplateData):
            if "kairosvalue" in piece.data:
                raise TemplateRefused(piece.lineno, "the word kairosvalue is reserved")
            self.feed(piece.data)
        else:
            self._values.append(piece)
            self.feed(f"kairosvalue{len(self._values) - 1}x")

    def close(self) -> None:
        super().close()
        for index in range(len(self._values)):
            if index not in self._seen:
                self._refuse(index, "a value cannot stand inside a tag, a comment or a declaration")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        source = self.get_starttag_text() or ""
        for index in _indices(tag):
            self._refuse(index, "a value cannot be a tag name")
        for attribute, value in attrs:
            for index in _indices(attribute):
                self._refuse(index, "a value cannot be an attribute name")
            for index in _indices(value or ""):
                self._check_attribute(index, attribute, value or "", source)
        self._raw_text = tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._raw_text = False
        for index in _indices(tag):
            self._refuse(index, "a value cannot be a tag name")

    def handle_data(self, data: str) -> None:
        for index in _indices(data):
            if self._raw_text:
                self._refuse(index, "a value cannot stand in a script or a style")
            self._seen.add(index)

    def _check_attribute(self, index: int, attribute: str, value: str, source: str) -> None:
        self._seen.add(index)
        if attribute.startswith("on") or attribute in _FORBIDDEN_ATTRIBUTES:
            self._refuse(index, f"a value cannot stand in {attribute}")
        if not re.search(rf'="[^"]*kairosvalue{index}x[^"]*"', source):
            self._refuse(index, f'put the value of {attribute} in double quotes: {attribute}="{{{{ … }}}}"')
        if attribute in URL_ATTRIBUTES:
            whole = value == f"kairosvalue{index}x"
            node = self._values[index]
            if not (whole and isinstance(node, nodes.Filter) and node.name == "url"):
                self._refuse(
                    index, f'{attribute} takes one value with |url: {attribute}="{{{{ link|url }}}}"'
                )

    def _refuse(self, index: int, problem: str) -> None:
        raise TemplateRefused(self._values[index].lineno, problem)


def _indices(text: str) -> list[int]:
    return [int(part.partition("x")[0]) for part in text.split("kairosvalue")[1:]]
