"""From what pydantic found to one sentence that names file, line and remedy in both languages."""

import difflib
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from exchange.errors import ContractInvalid, InputUnreadable
from exchange.limits import CONTRACT_BYTES_MAX
from exchange.model.faultwords import in_words
from exchange.model.yamlfile import Path as YamlPath
from exchange.model.yamlfile import YamlDocument

FAULTS_SHOWN_MAX: Final = 10

KEYS: Final[dict[str, tuple[str, ...]]] = {
    "": ("dataset", "title", "fields", "key", "region", "subject", "cycle", "retention_days"),
    "fields": (
        "name", "type", "level", "required", "title", "values", "digits", "scale", "length",
        "personal",
    ),
    "title": ("zh", "en"),
    "region": ("field", "level"),
}  # fmt: skip
"""Which keys may stand under which; a test holds it to the models."""

_EXPECTED: Final[dict[str, tuple[str, str]]] = {
    "string_type": ("text is expected; put quotes around it", "此处应为文本，请加引号"),
    "int_type": ("a whole number is expected", "此处应为整数"),
    "bool_type": ("true or false is expected", "此处应为 true 或 false"),
    "list_type": ("a list is expected", "此处应为列表"),
    "tuple_type": ("a list is expected", "此处应为列表"),
    "dict_type": ("a mapping is expected", "此处应为键值对"),
    "model_type": ("a mapping of keys is expected", "此处应为键值对"),
}


def wrong(part: str, en: str, zh: str) -> PydanticCustomError:
    """An error for a validator to raise; ``part`` is the key it is about."""
    return PydanticCustomError("contract", "{en}", {"en": en, "zh": zh, "part": part})


def read_contract_file(path: Path) -> bytes:
    """The bytes of ``path``, one more than the limit at most; `InputUnreadable` if not there."""
    try:
        with path.open("rb") as file:
            return file.read(CONTRACT_BYTES_MAX + 1)
    except OSError as error:
        raise InputUnreadable(
            f"{path}: {error.strerror}",
            f"{path}：无法读取（{error.strerror}）",
            remedy=("check the path", "请检查路径"),
            failure="not-readable",
        ) from None


def explain(error: ValidationError, document: YamlDocument) -> ContractInvalid:
    """All faults (the first ten), one a line, in file order; the failure is ``contract``."""
    found = error.errors(include_url=False, include_input=False)
    faults = sorted({_fault(detail, document) for detail in found})
    shown = faults[:FAULTS_SHOWN_MAX]
    left = len(faults) - len(shown)
    more = ([f"… and {left} more"], [f"……另有 {left} 处"]) if left else ([], [])
    return ContractInvalid(
        "\n".join([f"{document.name}:{line}: {en}" for line, en, _ in shown] + more[0]),
        "\n".join([f"{document.name}:{line}: {zh}" for line, _, zh in shown] + more[1]),
        remedy=(
            f"correct line {shown[0][0]} of {document.name}, then run 'exchange contract check'",
            f"请修改 {document.name} 第 {shown[0][0]} 行，再运行 exchange contract check",
        ),
        failure="contract",
    )


def _fault(detail: ErrorDetails, document: YamlDocument) -> tuple[int, str, str]:
    location: YamlPath = tuple(detail["loc"])
    context: dict[str, Any] = detail.get("ctx") or {}
    kind = detail["type"]
    if kind == "contract":
        line = document.line((*location, context["part"]))
        return line, context["en"], context["zh"]
    line = document.line(location)
    where = _where(location)
    if kind == "missing":
        return line, f"{where} is missing", f"缺少 {where}"
    if kind == "extra_forbidden":
        return line, *_unknown_key(location)
    if kind == "literal_error":
        allowed = str(context["expected"]).replace("'", "").replace(" or ", ", ")
        return line, f"{where} is one of: {allowed}", f"{where} 须为：{allowed}"
    if kind in _EXPECTED:
        en, zh = _EXPECTED[kind]
        return line, f"{where}: {en}", f"{where}：{zh}"
    words = in_words(detail)
    return line, f"{where}: {words.en}", f"{where}：{words.zh}"


def _where(location: YamlPath) -> str:
    """``fields[2].type``."""
    shown = ""
    for part in location:
        shown += f"[{part}]" if isinstance(part, int) else f".{part}" if shown else str(part)
    return shown or "the contract"


def _unknown_key(location: YamlPath) -> tuple[str, str]:
    parents = [part for part in location[:-1] if isinstance(part, str)]
    allowed = KEYS.get(parents[-1] if parents else "", ())
    key = str(location[-1])[:80]
    close = difflib.get_close_matches(key, allowed, n=1)
    hint_en = f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join(allowed)}"
    hint_zh = f"是否为 {close[0]!r}？" if close else f"可用的键：{'、'.join(allowed)}"
    return f"unknown key {key!r}; {hint_en}", f"未知的键 {key!r}；{hint_zh}"
