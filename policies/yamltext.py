"""Strict YAML with line numbers, for the one file of this leaf that people write by hand.

Refused, with the line: duplicate keys, anchors and aliases, several documents, keys that are no
text. exchange/model/yamlfile.py does the same for contracts; a leaf may not import it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import yaml

from policies.errors import Finding, RuleSetInvalid

Path = tuple[str | int, ...]


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
    try:
        text = raw.decode("utf-8")
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                line = 1 if event.start_mark is None else event.start_mark.line + 1
                raise _refusal(name, line, "an anchor or alias", "锚点或别名")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        lines: dict[Path, int] = {}
        data = None if node is None else _plain(node, (), lines, name)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _refusal(name, line, "text that is not UTF-8", "非 UTF-8 文本") from None
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        line = 1 if mark is None else mark.line + 1
        problem = getattr(error, "problem", None) or "a date or number that does not exist"
        raise _refusal(name, line, f"not YAML: {problem}", f"不是合法的 YAML：{problem}") from None
    return Document(name, data, lines)


def _plain(node: yaml.Node, path: Path, lines: dict[Path, int], name: str) -> object:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(child, (*path, at), lines, name) for at, child in enumerate(node.value)]
    if not isinstance(node, yaml.MappingNode):
        return yaml.SafeLoader("").construct_object(node)
    found: dict[str, object] = {}
    for key_node, value_node in node.value:
        key, line = key_node.value, key_node.start_mark.line + 1
        if not isinstance(key, str):
            raise _refusal(name, line, "a key that is not text", "键不是文本")
        if key in found:
            raise _refusal(name, line, f"{key!r} twice in one mapping", f"键 {key!r} 重复出现")
        lines[(*path, key)] = line
        found[key] = _plain(value_node, (*path, key), lines, name)
    return found


def _refusal(name: str, line: int, en: str, zh: str) -> RuleSetInvalid:
    remedy = ("write it out as plain, indented YAML", "请改写为普通的缩进式 YAML")
    return RuleSetInvalid((Finding(name, line, "not-yaml", (en, zh), remedy),))
