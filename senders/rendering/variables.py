"""Which names a template uses, checked against the contract: a typo is found before anyone is mailed."""

from difflib import get_close_matches

from jinja2 import nodes

from senders.context import Context
from senders.rendering.shapes import ANY, NUMBER, TEXT, Shape, shape_of

CONTRACT = shape_of(Context)
_GIVEN = {**CONTRACT.fields, "subject": TEXT}
_LOOP = Shape(
    "object",
    {name: NUMBER for name in ("index", "index0", "revindex", "revindex0", "length", "first", "last")},
)

Found = list[tuple[int, str]]  # line and problem


def unknown_names(tree: nodes.Template) -> Found:
    """Every name and field that the contract does not have."""
    found: Found = []
    _walk(tree, dict(_GIVEN), found)
    return found


def _walk(node: nodes.Node, names: dict[str, Shape], found: Found) -> None:
    match node:
        case nodes.Assign(target=nodes.Name(name=name)):
            names[name] = _shape(node.node, names, found)
        case nodes.For(target=nodes.Name(name=name)):
            element = _shape(node.iter, names, found).element or ANY
            inner = {**names, name: element, "loop": _LOOP}
            for child in (*node.body, *node.else_):
                _walk(child, inner, found)
        case nodes.Expr():
            _shape(node, names, found)
        case _:
            for child in node.iter_child_nodes():
                _walk(child, names, found)


def _shape(node: nodes.Node, names: dict[str, Shape], found: Found) -> Shape:
    """The shape of an expression; what is unknown in it goes to `found`."""
    match node:
        case nodes.Name(name=name):
            return _look_up(name, names, "", node.lineno, found)
        case nodes.Getattr(node=owner, attr=field) | nodes.Getitem(node=owner, arg=nodes.Const(value=field)):
            shape = _shape(owner, names, found)
            if shape.kind != "object":
                return shape.element or ANY if shape.kind == "list" else ANY
            return _look_up(field, shape.fields, " there", node.lineno, found)
        case nodes.Filter(name="_counted" | "default", node=inner):
            for argument in node.args:
                _shape(argument, names, found)
            return _shape(inner, names, found)
    shapes = [_shape(child, names, found) for child in node.iter_child_nodes()]
    chooses = isinstance(node, nodes.CondExpr | nodes.Or | nodes.And)
    return next((shape for shape in shapes if chooses and shape.kind != "any"), ANY)


def _look_up(name: str, known: dict[str, Shape], where: str, line: int, found: Found) -> Shape:
    if name in known:
        return known[name]
    near = get_close_matches(name, known, n=1)
    cure = f"did you mean {near[0]!r}?" if near else "senders/context.py lists what there is"
    found.append((line, f"nothing is called {name!r}{where}: {cure}"))
    return ANY
