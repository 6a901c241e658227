"""The sandbox: Jinja's immutable sandbox, made smaller."""

from typing import Any

from jinja2 import StrictUndefined, Template, nodes
from jinja2.runtime import Context, LoopContext, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment, SecurityError
from jinja2.utils import pass_context

from senders.rendering import filters, linter


def _is_html(name: str | None) -> bool:
    """`touch_1.html.j2`, and the same in other languages."""
    return name is not None and ".html." in name


class EmailEnvironment(ImmutableSandboxedEnvironment):
    """Checks every template as it is parsed, and counts what it does as it runs."""

    intercepted_binops = frozenset(("+", "-", "*", "/"))

    def __init__(self) -> None:
        super().__init__(
            undefined=StrictUndefined,
            autoescape=_is_html,
            finalize=_printable,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.globals.clear()
        self.filters = {
            name: self.filters[name] for name in linter.FILTERS if name in self.filters
        } | filters.ALL
        self.filters["_counted"] = _counted
        self.tests = {name: self.tests[name] for name in linter.TESTS}

    def build(self, source: str, name: str) -> Template:
        """A template from checked source; `name` decides whether it is HTML."""
        return Template.from_code(self, self.compile(source, name, name), self.make_globals(None))

    def check(self, source: str, name: str) -> None:
        """All that `build` refuses, in a fraction of its time."""
        self._parse(source, name, name)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Contexts are plain data: a dot looks up a key, and never reaches a Python attribute."""
        if type(obj) is dict:
            return obj[attribute] if attribute in obj else self.undefined(obj=obj, name=attribute)
        if isinstance(obj, LoopContext | Undefined):
            return super().getattr(obj, attribute)
        return self.undefined(obj=obj, name=attribute)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        linter.check_nodes(tree)
        if _is_html(name):
            linter.check_places(tree)
        for loop in tree.find_all(nodes.For):
            loop.iter = nodes.Filter(loop.iter, "_counted", [], [], None, None, lineno=loop.lineno)
        return tree

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Arithmetic is for numbers; text is joined by writing it side by side."""
        if not (isinstance(left, int | float) and isinstance(right, int | float)):
            raise SecurityError(f"`{operator}` works on numbers only: write texts side by side instead")
        return super().call_binop(context, operator, left, right)


@pass_context
def _counted(context: Context, values: Any) -> Any:
    """Every loop draws on the budget of its render."""
    return context["_budget"].loop(values)


def _printable(value: Any) -> Any:
    """Nobody wants to read `None` or a Python list in an email."""
    if type(value) is str:  # nearly always
        return value
    if value is None:
        raise TypeError("a value is None: wrap it in {% if … %} or give it a |default")
    if isinstance(value, list | tuple | dict | set):
        raise TypeError("a list or a mapping cannot be printed: loop over it")
    return value
