"""How the body of an act becomes a CBOR map with small integer keys, and back.

A body is a frozen pydantic model whose fields each carry a `Key`. The numbers are for ever: a
field that is dropped leaves its number unused, a new field takes the next one and has a default.
Only integers, text, bytes, booleans, null, tuples and further models occur, so canonical CBOR
(keys/SPEC.md) gives each body exactly one encoding.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from exchange.errors import ActRefused


@dataclass(frozen=True, slots=True)
class Key:
    """The CBOR key of a field: 0 to 23, never reused."""

    number: int


class Part(BaseModel):
    """A model that travels inside an act."""

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="forbid",
        hide_input_in_errors=True,
        revalidate_instances="never",
    )

    def to_map(self) -> dict[int, Any]:
        """The CBOR map; fields that stand at null are left out."""
        return {
            number: _plain(value)
            for name, number in _keys(type(self)).items()
            if (value := getattr(self, name)) is not None
        }

    @classmethod
    def from_map(cls, data: object) -> Self:
        """The model of a decoded CBOR map, or `ActRefused` with failure ``body``."""
        try:
            return cls.model_validate(_named(cls, data))
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(str(step) for step in first["loc"])
            raise _malformed(cls, f"{where}: {first['msg']}") from None


class Body(Part):
    """The body of an act; ``kind`` is its name on the ledger, for ever."""

    kind: ClassVar[str]


@cache
def _keys(model: type[Part]) -> dict[str, int]:
    return {
        name: next(item.number for item in field.metadata if isinstance(item, Key))
        for name, field in model.model_fields.items()
    }


@cache
def _names(model: type[Part]) -> dict[int, tuple[str, type[Part] | None, bool]]:
    """Field name, nested model and whether that model stands in a tuple, by key."""
    named = {}
    for name, number in _keys(model).items():
        annotation = model.model_fields[name].annotation
        arguments = getattr(annotation, "__args__", ())
        nested = next((t for t in (annotation, *arguments) if _is_part(t)), None)
        named[number] = (name, nested, bool(arguments) and nested is not None)
    return named


def _is_part(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Part)


def _plain(value: object) -> object:
    if isinstance(value, Part):
        return value.to_map()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def _named(model: type[Part], data: object) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise _malformed(model, "not a map")
    known = _names(model)
    named: dict[str, Any] = {}
    for number, value in data.items():
        # True == 1 in Python: a boolean key would otherwise pass for an integer one.
        if type(number) is not int or number not in known or value is None:
            raise _malformed(model, f"key {number!r}")
        name, nested, many = known[number]
        if nested is None:
            named[name] = _frozen(value) if type(value) is list else value
        elif many and isinstance(value, list):
            named[name] = tuple(nested.from_map(item) for item in value)
        else:
            named[name] = nested.from_map(value)
    return named


def _frozen(value: object) -> object:
    if isinstance(value, list):
        return tuple(_frozen(item) for item in value)
    return value


def _malformed(model: type[Part], why: str) -> ActRefused:
    return ActRefused(
        f"{model.__name__} is malformed ({why})",
        f"{model.__name__} 格式错误（{why}）",
        remedy=("send what exchange/model/kinds.py lists", "请按规范重新生成该行为"),
        failure="body",
    )
