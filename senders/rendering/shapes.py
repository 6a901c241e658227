"""The contract as shapes that a template can be checked against before it meets a person."""

import types
from dataclasses import dataclass
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel


@dataclass(frozen=True)
class Shape:
    """What is known about a value: the fields of an object, the element of a list, or a plain value."""

    kind: Literal["object", "list", "number", "text", "any"]
    fields: Any = None  # name → Shape, of an object
    element: "Shape | None" = None  # of a list


ANY = Shape("any")
TEXT = Shape("text")
NUMBER = Shape("number")


def shape_of(annotation: Any) -> Shape:
    """The shape of a type; of a union, that of its object, else of its first part."""
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        parts = [shape_of(part) for part in get_args(annotation) if part is not type(None)]
        return next((part for part in parts if part.kind == "object"), parts[0])
    if origin is list:
        return Shape("list", element=shape_of(get_args(annotation)[0]))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return Shape(
            "object", {name: shape_of(field.annotation) for name, field in annotation.model_fields.items()}
        )
    return NUMBER if annotation in (int, float) else TEXT
