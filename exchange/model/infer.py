"""Draft a contract from a sample of text columns, for a person to correct.

Each type of `exchange.model.fieldtypes` is tried on every value of a column, the most telling
first; a type fits when nearly all values pass, since real files hold typing errors, and the draft
says how many did not. Sensitivity levels are proposals from types and column names: personal
identifiers and contacts start at 3. Reading the file is for whoever calls.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from exchange.errors import InputUnreadable
from exchange.model.contract import (
    CYCLES,
    NAME_BYTES_MAX,
    TEXT_LENGTH_MAX,
    ContractField,
    FieldKind,
)
from exchange.model.fieldtypes import check_column

Column = list[str | None]

MISFITS_MAX: Final = 0.01
"""Share of values that may fail a type that still fits; they are counted in the draft."""
CODES_MAX: Final = 20
CODE_TIMES_MIN: Final = 10
"""A code list has few values, and each stands this often on average."""
KEY_FIELDS_MAX: Final = 3
KEY_CANDIDATES_MAX: Final = 8
_MEASURES: Final = frozenset({"decimal", "boolean", "date", "datetime"})
"""Types that tell records apart by accident only."""

_TRIED: Final[tuple[FieldKind, ...]] = (
    "resident-id",
    "credit-code",
    "region",
    "date",
    "datetime",
    "integer",
    "decimal",
)
_REGION_NAME: Final = re.compile(
    r"region|province|city|county|area|street|区划|省|市|县|乡|镇|村", re.IGNORECASE
)
_PERSON_NAME: Final = re.compile(
    r"姓名|住址|地址|手机|电话|邮箱|银行|address|phone|mobile|email", re.IGNORECASE
)
_PHONE: Final = re.compile(r"1[3-9][0-9]{9}")
_TRUTHS: Final = frozenset({"true", "false", "TRUE", "FALSE", "True", "False", "是", "否"})
_YAML_WORDS: Final = frozenset({"yes", "no", "on", "off", "true", "false", "null"})
"""YAML 1.1 reads these as something else than text."""
_DECIMAL: Final = re.compile(r"-?([0-9]+)(?:\.([0-9]+))?")


@dataclass(frozen=True, slots=True)
class _Guess:
    """A field of the draft; ``options`` are YAML values by key."""

    column: str
    name: str
    kind: FieldKind
    level: int
    required: bool
    unique: bool
    options: dict[str, str]
    misfits: int


def infer_contract(columns: Mapping[str, Sequence[str | None]], *, dataset: str) -> str:
    """YAML text of a draft for ``columns`` (text or None, as a CSV source gives them).

    ``dataset`` is turned into an allowed name. Raises `InputUnreadable` when there is no record.
    """
    if not columns or not len(next(iter(columns.values()))):
        raise InputUnreadable(
            "there is no record to learn from",
            "没有可供推测的记录",
            remedy=("give a file with a header and some rows", "请提供含表头和若干行数据的文件"),
            failure="empty",
        )
    guesses = [
        _guess(name, list(values), place) for place, (name, values) in enumerate(columns.items())
    ]
    key, sure = _key(guesses, columns)
    return (
        "\n".join([*_head(dataset), *map(_field_line, guesses), *_tail(guesses, key, sure)]) + "\n"
    )


def _guess(column: str, values: Column, place: int) -> _Guess:
    present = [value for value in values if value]
    kind, options, misfits = _kind(column, present)
    return _Guess(
        column=column,
        name=_name(column, place),
        kind=kind,
        level=_level(column, kind, present),
        required=len(present) == len(values),
        unique=len(present) == len(values) == len(set(present)),
        options=options,
        misfits=misfits,
    )


def _name(column: str, place: int) -> str:
    """An allowed field name like ``column``."""
    plain = re.sub(r"\W+", "_", column).strip("_")
    plain = plain.encode()[:NAME_BYTES_MAX].decode(errors="ignore")
    if plain.lower() in _YAML_WORDS or not plain.isidentifier():
        return f"column_{place + 1}"
    return plain


def _kind(column: str, present: list[str]) -> tuple[FieldKind, dict[str, str], int]:
    if not present:
        return "text", {}, 0
    if _TRUTHS.issuperset(present):
        return "boolean", {}, 0
    if _mostly_phones(present):
        return "text", {"length": "20"}, 0
    for kind in _TRIED:
        if kind == "region" and not _REGION_NAME.search(column) and len(present[0]) < 6:
            continue  # 11 and 33 are ages as well as provinces
        options = _decimal_options(present) if kind == "decimal" else {}
        if kind == "decimal" and not options:
            continue
        field = ContractField(
            name="tried",
            type=kind,
            level=1,
            digits=int(options["digits"]) if options else None,
            scale=int(options["scale"]) if options else None,
        )
        misfits = len(check_column(field, list(present)).bad)
        if misfits <= len(present) * MISFITS_MAX:
            return kind, options, misfits
    return _text_kind(present)


def _decimal_options(present: list[str]) -> dict[str, str]:
    found = [match for match in map(_DECIMAL.fullmatch, present) if match]
    if not found:
        return {}
    scale = max(len(match[2] or "") for match in found)
    digits = max(len(match[1]) for match in found) + scale
    return {"digits": str(min(digits + 2, 38)), "scale": str(scale)} if digits <= 38 else {}


def _text_kind(present: list[str]) -> tuple[FieldKind, dict[str, str], int]:
    distinct = sorted(set(present))
    short = max(map(len, distinct)) <= 64
    if short and len(distinct) <= CODES_MAX and len(present) >= CODE_TIMES_MIN * len(distinct):
        return "code", {"values": json.dumps(distinct, ensure_ascii=False)}, 0
    lengths = [len(value) for value in present]
    length = min(-(-max(lengths) * 2 // 10) * 10, TEXT_LENGTH_MAX)
    return "text", {"length": str(length)}, sum(1 for one in lengths if one > length)


def _level(column: str, kind: FieldKind, present: list[str]) -> int:
    personal = kind == "resident-id" or _PERSON_NAME.search(column) or _mostly_phones(present)
    return 3 if personal else 1


def _mostly_phones(present: list[str]) -> bool:
    return sum(1 for value in present if _PHONE.fullmatch(value)) * 2 > len(present)


def _key(
    guesses: list[_Guess], columns: Mapping[str, Sequence[str | None]]
) -> tuple[list[_Guess], bool]:
    """The first field, or few fields of one level, that tell all records apart; else the first."""
    required = [guess for guess in guesses if guess.required]
    candidates = sorted(required, key=lambda guess: guess.kind in _MEASURES)[:KEY_CANDIDATES_MAX]
    for guess in candidates:
        if guess.unique:
            return [guess], True
    for size in range(2, KEY_FIELDS_MAX + 1):
        for group in combinations(candidates, size):
            rows = list(zip(*(columns[guess.column] for guess in group), strict=True))
            if len({guess.level for guess in group}) == 1 and len(set(rows)) == len(rows):
                return list(group), True
    return (candidates or guesses)[:1], False


def _head(dataset: str) -> list[str]:
    slug = re.sub(r"[^a-z0-9]+", "-", dataset.lower()).strip("-")[:60]
    slug = slug if re.fullmatch(r"[a-z][a-z0-9-]{1,59}[a-z0-9]", slug) else "dataset-1"
    return [
        "# A draft: check every line. 草稿，请逐行核对。",
        f"dataset: {slug}",
        "title:",
        '  zh: ""  # 数据集名称',
        '  en: ""',
        "# level 敏感级别: 1 open inside government 政务共享 … 4 most sensitive 最敏感",
        "# personal 个人信息: general 一般, sensitive 敏感",
        "fields:",
    ]


def _field_line(guess: _Guess) -> str:
    parts = [f"name: {guess.name}", f"type: {guess.kind}", f"level: {guess.level}"]
    if guess.required:
        parts.append("required: true")
    if guess.level > 1:
        parts.append(f"personal: {'sensitive' if guess.kind == 'resident-id' else 'general'}")
    parts += [f"{key}: {value}" for key, value in guess.options.items()]
    notes = []
    if guess.name != guess.column:
        shown = json.dumps(guess.column, ensure_ascii=False)
        notes.append(f"rename the column {shown} 请将该列改名")
    if guess.misfits:
        notes.append(
            f"{guess.misfits} values of the sample do not fit 样本中有 {guess.misfits} 个值不符"
        )
    return f"  - {{{', '.join(parts)}}}" + "".join(f"  # {note}" for note in notes)


def _tail(guesses: list[_Guess], key: list[_Guess], sure: bool) -> list[str]:
    doubt = "" if sure else "  # NOT unique in the sample: choose 样本中不唯一，请另选"
    lines = [f"key: [{', '.join(guess.name for guess in key)}]{doubt}"]
    regions = [guess for guess in guesses if guess.kind == "region" and guess.required]
    if regions:
        keyed = [guess for guess in regions if guess in key] or regions
        lines.append(f"region: {{field: {keyed[0].name}, level: province}}  # or 或 city, county")
    for kind in ("resident-id", "credit-code"):
        subjects = [guess.name for guess in guesses if guess.kind == kind]
        if subjects:
            lines.append(f"subject: {subjects[0]}  # whom a record is about 记录主体")
            break
    cycles = " ".join(f"{name} {text.zh}" for name, text in CYCLES.items())
    return [*lines, f"cycle: irregular  # {cycles}", "retention_days: 365"]
