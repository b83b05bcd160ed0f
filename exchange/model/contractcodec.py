"""The persisted form of a contract: canonical CBOR with integer keys (CONTRACT-SPEC.md, section 1).

Numbers are for ever: a key or position is never given a second meaning, and a reader of another
format refuses rather than guesses.
"""

from collections.abc import Mapping
from typing import Any, Final

from exchange.errors import ContractInvalid
from exchange.limits import CONTRACT_BYTES_MAX
from keys import cbor
from keys.errors import MalformedCbor

FORMAT: Final = 1

_CONTRACT: Final = {
    1: "dataset",
    2: "title",
    3: "fields",
    4: "key",
    5: "region",
    6: "subject",
    7: "cycle",
    8: "retention_days",
}
_FIELD: Final = {
    0: "name",
    1: "type",
    2: "level",
    3: "required",
    4: "title",
    5: "values",
    6: "digits",
    7: "scale",
    8: "length",
    9: "personal",
}
_TITLE: Final = {0: "zh", 1: "en"}
_REGION: Final = {0: "field", 1: "level"}


def malformed(reason: str) -> ContractInvalid:
    """Bytes that are not the canonical form of any contract."""
    return ContractInvalid(
        f"these bytes are no contract: {reason}",
        f"该字节串不是合约：{reason}",
        remedy=("fetch the contract again", "请重新获取合约"),
        failure="contract-malformed",
    )


def no_such_field(name: str, dataset: str) -> ContractInvalid:
    """A name that the contract lacks."""
    return ContractInvalid(
        f"dataset {dataset} has no field {name!r}",
        f"数据集 {dataset} 没有字段 {name!r}",
        remedy=("see 'exchange catalogue show'", "请查看 exchange catalogue show"),
        failure="no-such-field",
    )


def check_size(encoded: bytes, name: str) -> None:
    """Refuse a contract that would not fit into an act."""
    if len(encoded) > CONTRACT_BYTES_MAX:
        raise ContractInvalid(
            f"{name}: the contract takes {len(encoded)} bytes, the limit is {CONTRACT_BYTES_MAX}",
            f"{name}：合约为 {len(encoded)} 字节，上限为 {CONTRACT_BYTES_MAX} 字节",
            remedy=("split the dataset or shorten titles", "请拆分数据集或缩短标题"),
            failure="too-large",
        )


def pack(body: Mapping[str, Any]) -> bytes:
    """Canonical CBOR of a dumped contract; whatever stands at its default is left out."""
    packed = _numbered(body, _CONTRACT)
    packed[2] = _numbered(body["title"], _TITLE)
    packed[3] = [_packed_field(field) for field in body["fields"]]
    packed[4] = list(body["key"])
    if body["region"] is not None:
        packed[5] = _numbered(body["region"], _REGION)
    return cbor.encode({0: FORMAT, **packed})


def _packed_field(field: Mapping[str, Any]) -> dict[int, object]:
    packed = _numbered(field, _FIELD)
    title = _numbered(field["title"], _TITLE)
    del packed[4]
    if title:
        packed[4] = title
    if field["values"] is not None:
        packed[5] = [[code, label] for code, label in field["values"].items()]
    return packed


def _numbered(part: Mapping[str, Any], numbers: Mapping[int, str]) -> dict[int, object]:
    return {
        number: part[name]
        for number, name in numbers.items()
        if part[name] is not None and part[name] is not False and part[name] != ""
    }


def unpack(encoded: bytes) -> dict[str, object]:
    """What `pack` was given, still unchecked; `ContractInvalid` unless CBOR of this format."""
    try:
        decoded = cbor.decode(encoded, bytes_max=CONTRACT_BYTES_MAX)
    except MalformedCbor as error:
        raise malformed(error.failure) from None
    if not isinstance(decoded, dict) or decoded.pop(0, None) != FORMAT:
        raise malformed("unknown format")
    body = _named(decoded, _CONTRACT)
    body["title"] = _named(body.get("title", {}), _TITLE)
    if "region" in body:
        body["region"] = _named(body["region"], _REGION)
    body["fields"] = [_unpacked_field(field) for field in _list(body.get("fields"))]
    return body


def _unpacked_field(packed: object) -> dict[str, object]:
    field = _named(packed, _FIELD)
    if "title" in field:
        field["title"] = _named(field["title"], _TITLE)
    if "values" in field:
        field["values"] = _labelled(field["values"])
    return field


def _labelled(packed: object) -> dict[object, object]:
    labels: dict[object, object] = {}
    for pair in _list(packed):
        match pair:
            case [str(code), str(label)] if code not in labels:
                labels[code] = label
            case _:
                raise malformed("code values are no list of distinct pairs")
    return labels


def _named(packed: object, numbers: Mapping[int, str]) -> dict[str, object]:
    if not isinstance(packed, dict) or not packed.keys() <= numbers.keys():
        raise malformed("unknown key")
    return {numbers[number]: value for number, value in packed.items()}


def _list(packed: object) -> list[object]:
    if not isinstance(packed, list):
        raise malformed("a list is missing")
    return packed
