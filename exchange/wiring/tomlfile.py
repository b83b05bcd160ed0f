"""Strict TOML configuration: an unknown key is an error that names the file and the line.

The standard parser keeps no lines, so `TomlDocument` notes where each key stands. Every
configuration file of the Exchange is read here and judged by a pydantic model.
"""

import difflib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from exchange.errors import ConfigurationInvalid, NotFound
from exchange.model.faultwords import in_words

CONFIGURATION_BYTES_MAX: Final = 1 << 20
KeyPath = tuple[str | int, ...]
Model = TypeVar("Model", bound="Table")

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?$")
_PAIR = re.compile(r"^\s*([A-Za-z0-9_.\"'-]+)\s*=")


class Table(BaseModel):
    """A table of a configuration file: strict types, no unknown keys, no input in messages."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


@dataclass(frozen=True, slots=True)
class TomlDocument:
    """The data of one file and the 1-based line of each key in it."""

    path: Path
    data: Mapping[str, Any]
    lines: Mapping[tuple[str, ...], int]

    def line(self, where: KeyPath) -> int:
        """The line of ``where``, or of the nearest table around it."""
        names = tuple(str(part) for part in where if isinstance(part, str))
        while names and names not in self.lines:
            names = names[:-1]
        return self.lines.get(names, 1)


def read_toml(path: Path) -> TomlDocument:
    """The parsed file. `NotFound` if there is none, `ConfigurationInvalid` if it is no TOML.

    A file over `CONFIGURATION_BYTES_MAX` is refused, never read in part.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(CONFIGURATION_BYTES_MAX + 1)
    except FileNotFoundError:
        raise NotFound(
            f"there is no configuration file {path}",
            f"配置文件 {path} 不存在",
            remedy=("check the path", "请检查路径"),
            failure="no-configuration",
        ) from None
    if len(raw) > CONFIGURATION_BYTES_MAX:
        raise ConfigurationInvalid(
            f"{path}: longer than {CONFIGURATION_BYTES_MAX} bytes",
            f"{path}：超过 {CONFIGURATION_BYTES_MAX} 字节",
            remedy=("check that this is a configuration file", "请确认这是配置文件"),
            failure="too-large",
        )
    try:
        text = raw.decode("utf-8-sig")
        data = tomllib.loads(text)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationInvalid(
            f"{path}: not TOML: {error}",
            f"{path}：不是合法的 TOML：{error}",
            remedy=("correct the file there", "请修改该处"),
            failure="not-toml",
        ) from None
    return TomlDocument(path, data, _lines(text))


def parse(document: TomlDocument, model: type[Model]) -> Model:
    """The file as ``model``, or `ConfigurationInvalid` naming file, line and key of a fault."""
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        first = min(
            error.errors(include_url=False, include_input=False),
            # A misspelt key is unknown and leaves another missing: the first says what to do.
            key=lambda fault: (fault["type"] != "extra_forbidden", document.line(fault["loc"])),
        )
        raise _explain(first, document, model) from None


def quoted(text: str) -> str:
    """A TOML basic string; JSON's escapes are a subset of TOML's."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _lines(text: str) -> dict[tuple[str, ...], int]:
    lines: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = _dotted(header[2])
            lines.setdefault(table, number)
        elif pair := _PAIR.match(line):
            lines.setdefault((*table, *_dotted(pair[1])), number)
    return lines


def _dotted(name: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in name.split("."))


def _explain(
    fault: ErrorDetails, document: TomlDocument, model: type[BaseModel]
) -> ConfigurationInvalid:
    where = tuple(part for part in fault["loc"] if isinstance(part, str))
    name = ".".join(where) or "?"
    place = f"{document.path}:{document.line(where)}: "
    match fault["type"]:
        case "extra_forbidden":
            en, zh = f"unknown key {name!r}", f"未知的键 {name!r}"
            remedy = _did_you_mean(where, model)
            failure = "unknown-key"
        case "missing":
            en, zh = f"key {name!r} is missing", f"缺少键 {name!r}"
            whole = _known(where[:-1], model).get(where[-1])
            line = f"[{name}]" if whole is not None and _table(whole) else f"{name} = …"
            remedy = (f"add {line}", f"请补充 {line}")
            failure = "missing-key"
        case _:
            words = in_words(fault)
            en, zh = f"{name}: {words.en}", f"{name}：{words.zh}"
            remedy = (f"correct the value of {name}", f"请修改 {name} 的取值")
            failure = "bad-value"
    return ConfigurationInvalid(place + en, place + zh, remedy=remedy, failure=failure)


def _did_you_mean(where: tuple[str, ...], model: type[BaseModel]) -> tuple[str, str]:
    """The nearest key that the table has, or all of them."""
    known = _known(where[:-1], model)
    close = difflib.get_close_matches(where[-1], known, n=1)
    if close:
        return f"did you mean {close[0]!r}?", f"是否应为 {close[0]!r}？"
    return f"known keys: {', '.join(known)}", f"可用的键：{'、'.join(known)}"


def _known(tables: tuple[str, ...], model: type[BaseModel]) -> dict[str, Any]:
    """The keys of the table that ``tables`` leads to."""
    known: dict[str, Any] = dict(model.model_fields)
    for part in tables:
        table = _table(known[part]) if part in known else None
        known = {} if table is None else dict(table.model_fields)
    return known


def _table(field: Any) -> type[BaseModel] | None:  # noqa: ANN401 - what pydantic knows of a field
    """The model of a key that is a table, or may be one."""
    candidates = (field.annotation, *getattr(field.annotation, "__args__", ()))
    return next(
        (one for one in candidates if isinstance(one, type) and issubclass(one, BaseModel)), None
    )
