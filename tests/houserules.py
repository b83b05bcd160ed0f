"""The house rules as functions over a source file; ``test_tidy`` runs them over the tree.

Each rule takes a `Source` and yields a `Finding` for each breach: where, which rule, and what to do
instead. Rules about imports and definitions read the syntax tree, rules about words read the text.
Patterns for words that no file may contain are written ``[w]ord``, so that this file obeys itself.
"""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Final

FILE_LINES_MAX: Final = 400
FUNCTION_LINES_MAX: Final = 70
COLUMNS_MAX: Final = 100
PRODUCT: Final = ("exchange", "keys", "policies", "adapters")
COLUMN_SUFFIXES: Final = (".py", ".sh", ".toml", ".cedar")


@dataclass(frozen=True, slots=True)
class Finding:
    """One breach of a rule."""

    path: str
    line: int
    rule: str
    instead: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.instead}"


@dataclass(frozen=True)
class Source:
    """A file of the project: its path from the top, and its text."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree; empty for files that are no Python."""
        return ast.parse(self.text if self.is_python else "")

    @cached_property
    def defined(self) -> frozenset[str]:
        """The names that this file itself defines, anywhere in it."""
        names = set()
        for node in ast.walk(self.tree):
            match node:
                case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                    names.add(node.name)
                case ast.Name(id=name, ctx=ast.Store()):
                    names.add(name)
        return frozenset(names)

    @property
    def is_python(self) -> bool:
        """Whether this is a Python file."""
        return self.path.endswith(".py")

    @property
    def is_product(self) -> bool:
        """Whether this belongs to the four packages that ship."""
        return self.is_python and self.path.split("/")[0] in PRODUCT

    @property
    def module(self) -> str:
        """The dotted name: ``exchange/bus/kafka.py`` is ``exchange.bus.kafka``."""
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    def finding(self, line: int, rule: str, instead: str) -> Finding:
        """A finding in this file."""
        return Finding(self.path, line, rule, instead)


Rule = Callable[[Source], Iterator[Finding]]
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def size(source: Source) -> Iterator[Finding]:
    """A file never passes 400 lines."""
    lines = source.text.count("\n")
    if source.is_python and lines > FILE_LINES_MAX:
        yield source.finding(
            lines, "file-length", f"{lines} lines; split it by what it knows, not by size"
        )


def function_size(source: Source) -> Iterator[Finding]:
    """A function never passes 70 lines, its docstring included."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                yield source.finding(
                    node.lineno,
                    "function-length",
                    f"{node.name} has {lines} lines; name its steps and give each a function",
                )


def columns(source: Source) -> Iterator[Finding]:
    """Code stays within 100 columns."""
    if source.path.endswith(COLUMN_SUFFIXES):
        for number, line in enumerate(source.text.splitlines(), 1):
            if len(line) > COLUMNS_MAX:
                yield source.finding(number, "columns", f"{len(line)} columns; break the line")


def docstrings(source: Source) -> Iterator[Finding]:
    """Every module says what it is; every public name of the product says what it promises."""
    if source.is_python and not ast.get_docstring(source.tree):
        yield source.finding(1, "docstring", "say what this module does and leaves to others")
    if source.is_product:
        for node in _public(source.tree):
            if not ast.get_docstring(node):
                instead = f"say what {node.name} takes, gives and raises"
                yield source.finding(node.lineno, "docstring", instead)


def _public(scope: ast.Module | ast.ClassDef) -> Iterator[Definition]:
    for node in scope.body:
        if isinstance(node, Definition) and not node.name.startswith("_") and not _again(node):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from _public(node)


def _again(node: Definition) -> bool:
    """Whether this only repeats a documented name: an overload, or a property's setter."""
    names = {ast.unparse(decorator).split(".")[-1] for decorator in node.decorator_list}
    return bool(names & {"overload", "setter", "deleter"})


_VAGUE: Final = {
    "util": "name the one thing it does",
    "utils": "name the one thing it does",
    "helper": "name the one thing it does",
    "helpers": "name the one thing it does",
    "common": "name what the parts have in common",
    "core": "name what it is the core of",
    "base": "write a Protocol, named for what it promises",
    "manager": "name what it keeps or does",
    "managers": "name what it keeps or does",
    "handler": "name the verb",
    "handlers": "name the verbs",
    "processor": "name the verb",
    "processors": "name the verbs",
    "factory": "construct it in exchange/wiring",
    "factories": "construct them in exchange/wiring",
    "impl": "name how this one differs: file, memory, kafka",
}
_NAMED_ELSEWHERE: Final = frozenset({"CoreElements"})
"""Words of a standard: the 13 core elements (核心元数据) of the national catalogue guide."""


def names(source: Source) -> Iterator[Finding]:
    """No file, folder, class or function has a name that would fit anything."""
    for part in PurePosixPath(source.path).with_suffix("").parts:
        yield from _vague(source, 1, part)
    for node in ast.walk(source.tree):
        if isinstance(node, Definition):
            yield from _vague(source, node.lineno, node.name)


def _vague(source: Source, line: int, name: str) -> Iterator[Finding]:
    if name in _NAMED_ELSEWHERE:
        return
    for word in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name):
        if word.lower() in _VAGUE:
            yield source.finding(line, "vague-name", f"{name!r}: {_VAGUE[word.lower()]}")


def catches(source: Source) -> Iterator[Finding]:
    """Nothing is caught that has no name, unless only to undo something and raise it again."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ExceptHandler):
            caught = {"bare"} if node.type is None else _named(node.type)
            undone = caught == {"BaseException"} and _raises_again(node)
            if caught & {"bare", "Exception", "BaseException"} and not undone:
                yield source.finding(
                    node.lineno,
                    "catch-all",
                    "catch the failures you can name; clean up with `finally` or a context manager",
                )


def _raises_again(node: ast.ExceptHandler) -> bool:
    last = node.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def _named(expression: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(expression) if isinstance(node, ast.Name)}


def verifications(source: Source) -> Iterator[Finding]:
    """What verifies gives a value that only it makes, or raises; a bool can be forgotten."""
    if source.is_product:
        for node in ast.walk(source.tree):
            match node:
                case (
                    ast.FunctionDef(name=name, returns=ast.Name(id="bool"))
                    | ast.AsyncFunctionDef(name=name, returns=ast.Name(id="bool"))
                ) if re.match("_?(verify|check|authenticate)", name):
                    yield source.finding(
                        node.lineno,
                        "verify-bool",
                        f"{name}: return a value of a type only it can make, or raise by class",
                    )


def slots(source: Source) -> Iterator[Finding]:
    """Dataclasses of the product are slotted: a misspelt attribute is an error, not a new one."""
    if source.is_product:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ClassDef):
                for decorator in map(ast.unparse, node.decorator_list):
                    if decorator.startswith("dataclass") and "slots=True" not in decorator:
                        instead = "write @dataclass(frozen=True, slots=True)"
                        yield source.finding(node.lineno, "dataclass", instead)


_WORDS: Final = (
    (r"\b([T]ODO|[F]IXME|[X]XX)\b", "unfinished", "do it now, or say it in CHANGELOG.md"),
    ("[p]ragma: no cover", "uncovered", "write the test that reaches it"),
    (r"# [t]ype: ignore(?!\[)", "blanket-ignore", "name the error: `[code]`, and say why"),
    (r"# [n]oqa(?!: ?[A-Z])", "blanket-ignore", "name the rule, and say why"),
    (r"(pytest\.|mark\.)([s]kip|[x]fail|[i]mportorskip)", "skipped", "make it run, or delete it"),
)
_KEY_MATERIAL: Final = ("PRIVATE[ ]KEY", "key-material", "keys live in custody; tests make theirs")
_REGISTRIES: Final = (
    r"[p]ypi\.org|[p]ythonhosted\.org|[r]epo1\.maven|[r]epo\.maven|[r]egistry\.npmjs"
    r"|[r]egistry\.yarnpkg|[c]rates\.io|[p]roxy\.golang|[d]eb\.debian|[t]una\.tsinghua"
    r"|[m]irrors\.aliyun|[r]epo\.huaweicloud|[m]irrors\.ustc"
)
_MAKING: Final = (
    r"\bA[I]\b(?!-)|\b[L]LMs?\b|/wor[k]/|\.\./[s]hared"
    r"|(?i:\b[c]laude\b|[a]nthropic|[o]penai\b|[c]hatgpt|[c]opilot|[l]anguage model)"
    r"|(?i:[c]o-authored-by|(?<!user-)(?<!user )\b(sub-?)?[a]gents?\b)"
    r"|(?i:\b(this|previous|next|coding) [s]ession\b)"
)


def words(source: Source) -> Iterator[Finding]:
    """No unfinished work, no switch that hides a failure, no key, no address, no making-of."""
    yield from _matches(source, *_WORDS)
    if "vectors" not in PurePosixPath(source.path).parts:
        yield from _matches(source, _KEY_MATERIAL)
    yield from _matches(
        source,
        (_REGISTRIES, "registry-address", "name the package; the client's own settings say where"),
        (_MAKING, "making-of", "say what the product does; how it came about is not part of it"),
    )


def _matches(source: Source, *patterns: tuple[str, str, str]) -> Iterator[Finding]:
    for pattern, rule, instead in patterns:
        for match in re.finditer(pattern, source.text):
            line = source.text.count("\n", 0, match.start()) + 1
            yield source.finding(line, rule, f"{match.group()!r}: {instead}")


def deploy_without_python(source: Source) -> Iterator[Finding]:
    """``deploy/`` holds no Python."""
    shebang = source.text.startswith("#!") and "python" in source.text.split("\n", 1)[0]
    if source.path.startswith("deploy/") and (source.is_python or shebang):
        yield source.finding(1, "deploy-python", "put code into a package, where checks see it")


RULES: Final[tuple[Rule, ...]] = (
    size,
    function_size,
    columns,
    docstrings,
    names,
    catches,
    verifications,
    slots,
    words,
    deploy_without_python,
)
"""Every rule that needs one file and no knowledge of the others; the rest is in ``importrules``."""
