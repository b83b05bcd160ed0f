"""Strict YAML that remembers its lines.

A person writes contracts by hand; an error must name the line. What PyYAML would read but nobody
means is refused: anchors and aliases (a few lines could expand to gigabytes), duplicate keys (the
last would win in silence), several documents, custom tags, deep nesting.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import yaml

from exchange.errors import ContractInvalid

DEPTH_MAX: Final = 8
"""Nesting of a hand-written file; more is an accident or an attack on the parser's stack."""

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """Plain data of one file, and the 1-based line on which each part of it starts."""

    name: str
    data: object
    lines: Mapping[Path, int]

    def line(self, path: Path) -> int:
        """The line of ``path``, or of the nearest part around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def refusal(
    name: str, line: int, en: str, zh: str, *, remedy: tuple[str, str], failure: str
) -> ContractInvalid:
    """A `ContractInvalid` that begins with the place, as compilers write it."""
    place = f"{name}:{line}: "
    return ContractInvalid(place + en, place + zh, remedy=remedy, failure=failure)


def read_yaml(raw: bytes, *, name: str, bytes_max: int) -> YamlDocument:
    """Parse one strict document; ``name`` is how messages call the file.

    Raises `ContractInvalid` with failure ``too-large``, ``not-utf-8`` or ``not-yaml``.
    """
    if len(raw) > bytes_max:
        raise refusal(
            name,
            1,
            f"the file has {len(raw)} bytes, the limit is {bytes_max}",
            f"文件有 {len(raw)} 字节，上限为 {bytes_max} 字节",
            remedy=("split the dataset", "请拆分数据集"),
            failure="too-large",
        )
    text = _text(raw, name)
    try:
        _check_events(text, name)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        lines: dict[Path, int] = {}
        data = None if node is None else _plain(node, (), lines, name)
    except yaml.YAMLError as error:
        raise _syntax(error, name) from None
    return YamlDocument(name=name, data=data, lines=lines)


def _text(raw: bytes, name: str) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise refusal(
            name,
            line,
            "the file is not UTF-8",
            "文件不是 UTF-8 编码",
            remedy=("save it as UTF-8", "请另存为 UTF-8 编码"),
            failure="not-utf-8",
        ) from None


def _syntax(error: yaml.YAMLError, name: str) -> ContractInvalid:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "unreadable character"
    return refusal(
        name,
        mark.line + 1 if mark is not None else 1,
        f"not YAML: {problem}",
        f"不是合法的 YAML：{problem}",
        remedy=("check indentation, colons and quotes there", "请检查该处的缩进、冒号和引号"),
        failure="not-yaml",
    )


def _check_events(text: str, name: str) -> None:
    """Refuse aliases and depth before anything recursive looks at the file."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        mark = event.start_mark
        line = 1 if mark is None else mark.line + 1
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise refusal(
                name,
                line,
                "anchors (&) and aliases (*) are not allowed",
                "不允许使用锚点（&）和别名（*）",
                remedy=("write the value out", "请直接写出该值"),
                failure="not-yaml",
            )
        if depth > DEPTH_MAX:
            raise refusal(
                name,
                line,
                f"nested deeper than {DEPTH_MAX} levels",
                f"嵌套超过 {DEPTH_MAX} 层",
                remedy=("flatten it", "请减少嵌套"),
                failure="not-yaml",
            )


def _plain(node: yaml.Node, path: Path, lines: dict[Path, int], name: str) -> object:
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        return [_plain(child, (*path, i), lines, name) for i, child in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, lines, name)
    try:
        return yaml.SafeLoader("").construct_object(node)
    except ValueError:
        problem = "a date or number that does not exist"
        raise yaml.constructor.ConstructorError(
            problem=problem, problem_mark=node.start_mark
        ) from None


def _mapping(
    node: yaml.MappingNode, path: Path, lines: dict[Path, int], name: str
) -> dict[str, object]:
    found: dict[str, object] = {}
    for key_node, value_node in node.value:
        key = key_node.value
        line = key_node.start_mark.line + 1
        if not isinstance(key, str) or key in found:
            raise refusal(
                name,
                line,
                "a key that is not text" if not isinstance(key, str) else f"{key!r} stands twice",
                "键不是文本" if not isinstance(key, str) else f"键 {key!r} 重复出现",
                remedy=("keep one", "请只保留一个"),
                failure="not-yaml",
            )
        found[key] = _plain(value_node, (*path, key), lines, name)
        lines[(*path, key)] = line
    return found
