"""Strict YAML with line numbers, for the one file of this leaf that people write by hand.

Refused, with the line: duplicate keys, aliases, several documents, keys that are no text.
exchange/model/yamlfile.py does the same for contracts; a leaf may not import it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import yaml
from yaml.constructor import ConstructorError, SafeConstructor

from policies.errors import Finding, RuleSetInvalid

Path = tuple[str | int, ...]

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml reads the register ten times as fast, which every command waits for."""


@dataclass(frozen=True, slots=True)
class Document:
    """Plain data of one file, and the 1-based line where each part of it starts."""

    name: str
    data: object
    lines: Mapping[Path, int]

    def line(self, path: Path) -> int:
        """The line of ``path``, or of the nearest part around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def parse_yaml(raw: bytes, name: str) -> Document:
    """Parse one strict document. Raises `RuleSetInvalid` with failure ``not-yaml``."""
    reading = _Reading()
    try:
        node = yaml.compose(raw.decode("utf-8"), Loader=_LOADER)
        data = None if node is None else reading.plain(node, ())
    except UnicodeDecodeError as error:
        line, problem = raw.count(b"\n", 0, error.start) + 1, "not UTF-8"
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = 1 if mark is None else mark.line + 1
        problem = getattr(error, "problem", None) or "a character that YAML does not allow"
    else:
        return Document(name, data, reading.lines)
    said = (f"not plain YAML: {problem}", f"不是规范的 YAML：{problem}")
    remedy = ("write it out as plain, indented YAML", "请改写为普通的缩进式 YAML")
    raise RuleSetInvalid((Finding(name, line, "not-yaml", said, remedy),))


@dataclass(slots=True)
class _Reading:
    """Turns nodes into plain data and notes their lines."""

    lines: dict[Path, int] = field(default_factory=dict)
    scalars: SafeConstructor = field(default_factory=SafeConstructor)
    seen: set[int] = field(default_factory=set)

    def plain(self, node: yaml.Node, path: Path) -> object:
        if id(node) in self.seen:  # nested aliases would expand a few lines to gigabytes
            raise ConstructorError(problem="an alias", problem_mark=node.start_mark)
        self.seen.add(id(node))
        self.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.SequenceNode):
            return [self.plain(child, (*path, at)) for at, child in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path)
        try:
            return self.scalars.construct_object(node)
        except ValueError:
            problem = "a date or number that does not exist"
            raise ConstructorError(problem=problem, problem_mark=node.start_mark) from None

    def mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, object]:
        found: dict[str, object] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            if not isinstance(key, str) or key in found:
                problem = "a key that stands twice, or is no text"
                raise ConstructorError(problem=problem, problem_mark=key_node.start_mark)
            self.lines[(*path, key)] = key_node.start_mark.line + 1
            found[key] = self.plain(value_node, (*path, key))
        return found
