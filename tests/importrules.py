"""House rules about imports: which way they point, and which file may import what.

The layers are those of ARCHITECTURE.md. A module may import its own package, and packages whose
rank is lower; ranks that several packages share let them import each other only where `PEERS`
says so. The leaves (rank 0) import nothing of the project but themselves.
"""

import ast
from collections.abc import Iterator, Mapping
from typing import Final

from tests.houserules import PRODUCT, Finding, Rule, Source

RANKS: Final[Mapping[str, int]] = {
    "keys": 0,
    "policies": 0,
    "adapters": 0,
    "exchange.errors": 1,
    "exchange.limits": 1,
    "exchange.metrics": 1,
    "exchange.model": 1,
    "exchange.shipped": 1,
    "exchange.bus": 2,
    "exchange.envelope": 2,
    "exchange.ledger": 2,
    "exchange.registry": 3,
    "exchange.audit": 4,
    "exchange.flow": 5,
    "exchange.wiring": 6,
    "exchange.daemon": 7,
    "exchange.hub": 7,
    "exchange.witness": 7,
    "exchange.cli": 8,
}
PEERS: Final = {1, 2}
"""Ranks whose packages may import each other: small words, and the formats and their carrier."""

ONLY_IN: Final[Mapping[str, tuple[str, str]]] = {
    "cryptography": ("keys/primitives.py", "call keys/primitives.py"),
    "aiokafka": ("exchange/bus/kafka.py", "take a Bus from exchange/bus/ports.py"),
    "cedarpy": ("policies/engine.py", "ask policies/engine.py"),
}
CONCRETE: Final = frozenset(
    {"FileCustody", "MemoryCustody", "KafkaBus", "MemoryBus", "LocalKafka", "Engine"}
)
"""Classes behind a Protocol or with a process or file of their own: exchange/wiring makes them."""

PROVIDED_BY: Final[Mapping[str, str]] = {
    "annotated_types": "pydantic",
    "click": "typer",
    "pydantic_core": "pydantic",
    "starlette": "fastapi",
    "yaml": "pyyaml",
}
"""Modules whose distribution has another name, or comes with one that the project names."""


def imported(source: Source) -> Iterator[tuple[int, str, str]]:
    """(line, module, name) of every import; ``name`` is "" for ``import module``."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name, ""
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield node.lineno, "." * node.level + (node.module or ""), alias.name


def part(module: str) -> str:
    """The entry of `RANKS` that ``module`` falls under, or "" when it is none of the project's."""
    pieces = module.split(".")
    for name in (".".join(pieces[:2]), pieces[0]):
        if name in RANKS:
            return name
    return ""


_ENVIRONMENT: Final = frozenset({"environ", "environb", "getenv", "getenvb", "putenv"})


def layers(source: Source) -> Iterator[Finding]:
    """Imports point down."""
    here = part(source.module)
    if not source.is_product or source.module == "exchange":
        return
    if not here:
        yield source.finding(
            1, "layer", f"{source.module} has no layer; put it into a package of ARCHITECTURE.md"
        )
        return
    for line, module, name in imported(source):
        there = part(f"{module}.{name}" if module == "exchange" else module)
        if module == "adapters.errors" and RANKS[here] > 0:
            continue  # what an adapter reports is shown and counted above; nothing is constructed
        if there and there != here and not _may(here, there):
            yield source.finding(
                line,
                "layer",
                f"{here} may not import {there}; pass a value or a Protocol in from above",
            )


def _may(here: str, there: str) -> bool:
    if there == "adapters":
        return here == "exchange.wiring"
    return RANKS[there] < RANKS[here] or (RANKS[there] == RANKS[here] and RANKS[here] in PEERS)


def absolute(source: Source) -> Iterator[Finding]:
    """Imports are absolute."""
    for line, module, _ in imported(source):
        if module.startswith("."):
            yield source.finding(line, "relative-import", "write the module's whole name")


def single_file(source: Source) -> Iterator[Finding]:
    """A library that is dangerous or hard to replace is imported in one file."""
    if source.is_product:
        for line, module, _ in imported(source):
            home, instead = ONLY_IN.get(module.split(".")[0], (source.path, ""))
            if source.path != home:
                yield source.finding(line, "single-file", f"only {home} imports it; {instead}")


def concrete(source: Source) -> Iterator[Finding]:
    """Only exchange/wiring names concrete classes; everything else takes Protocols."""
    if source.is_product and part(source.module) != "exchange.wiring":
        for line, module, name in imported(source):
            if name in CONCRETE and part(module) != part(source.module):
                yield source.finding(
                    line, "concrete-class", f"take a Protocol; exchange/wiring constructs {name}"
                )


def environment(source: Source) -> Iterator[Finding]:
    """The environment is read in one file."""
    if not source.is_product or source.path == "exchange/wiring/settings.py":
        return
    instead = "take the value from exchange/wiring/settings.py"
    for node in ast.walk(source.tree):
        match node:
            case ast.Attribute(value=ast.Name(id="os"), attr=name) if name in _ENVIRONMENT:
                yield source.finding(node.lineno, "environment", instead)
            case ast.ImportFrom(module="os", names=names):
                if any(alias.name in _ENVIRONMENT for alias in names):
                    yield source.finding(node.lineno, "environment", instead)


def declared(
    source: Source, dependencies: frozenset[str], standard: frozenset[str]
) -> Iterator[Finding]:
    """The product imports what pyproject.toml names, and nothing that only tests install."""
    if source.is_product:
        for line, module, _ in imported(source):
            top = module.split(".")[0]
            known = top in standard or top in PRODUCT or not top
            if not known and PROVIDED_BY.get(top, top).replace("_", "-") not in dependencies:
                yield source.finding(
                    line, "undeclared", f"{top} is not among the dependencies of pyproject.toml"
                )


def defining(source: Source, modules: Mapping[str, Source]) -> Iterator[Finding]:
    """A name is imported from the module that defines it."""
    for line, module, name in imported(source):
        origin = modules.get(module)
        if origin is None or not name or f"{module}.{name}" in modules:
            continue
        if name not in origin.defined:
            yield source.finding(
                line, "re-export", f"import {name} from the module that defines it, not {module}"
            )


def empty_package(source: Source) -> Iterator[Finding]:
    """A package's ``__init__`` is a docstring and nothing else."""
    if source.path.endswith("__init__.py") and source.is_product and len(source.tree.body) > 1:
        yield source.finding(
            1, "package-init", "keep only the docstring; names live in the module that defines them"
        )


RULES: Final[tuple[Rule, ...]] = (
    layers,
    absolute,
    single_file,
    concrete,
    environment,
    empty_package,
)
"""Every rule about imports that needs one file; `declared` and `defining` need the others too."""
