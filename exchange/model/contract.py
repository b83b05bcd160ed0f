"""A contract: what the records of one dataset look like.

A department writes it as YAML; the bus carries it as canonical CBOR inside an act, and everything
sealed or granted names its hash. One fact, three forms::

    contract = Contract.from_yaml(Path("villages.yaml"))
    contract.hash  # 32 bytes, SHA-256 of contract.encoded
    Contract.decode(contract.encoded) == contract

Fields that share a sensitivity level form a *section*, sealed under a key of its own. All fields of
the primary key lie in one section, which every grant includes, so a sink can always tell records
apart. The persisted form (integer keys, never reused) is in CONTRACT-SPEC.md beside this file.
"""

import hashlib
from collections import Counter
from functools import cached_property
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
    model_validator,
)

from exchange.limits import CONTRACT_BYTES_MAX, SECTIONS_MAX
from exchange.model import contractcodec
from exchange.model.acttypes import SLUG_FORM
from exchange.model.contracterrors import explain, read_contract_file, wrong
from exchange.model.text import Text
from exchange.model.yamlfile import read_yaml

FieldKind = Literal[
    "text",
    "integer",
    "decimal",
    "boolean",
    "date",
    "datetime",
    "code",
    "resident-id",
    "credit-code",
    "region",
]
"""The permanent names of the field types; `exchange.model.fieldtypes` says what each accepts."""

RegionLevel = Literal["province", "city", "county", "town", "village"]

REGION_DIGITS: Final[dict[RegionLevel, int]] = {
    "province": 2,
    "city": 4,
    "county": 6,
    "town": 9,
    "village": 12,
}
"""How many leading digits of a division code (GB/T 2260) name each level."""

CYCLES: Final[dict[str, Text]] = {
    "real-time": Text("in real time", "实时"),
    "daily": Text("daily", "每日"),
    "weekly": Text("weekly", "每周"),
    "monthly": Text("monthly", "每月"),
    "quarterly": Text("quarterly", "每季度"),
    "half-yearly": Text("every half year", "每半年"),
    "yearly": Text("yearly", "每年"),
    "irregular": Text("irregularly", "不定期"),
    "never": Text("never updated", "不更新"),
}
"""The update cycles of the national catalogue guide (发改高技〔2017〕1272号); one may be added."""

FIELDS_MAX: Final = 256
NAME_BYTES_MAX: Final = 60
"""PostgreSQL cuts identifiers at 63 bytes; two cut names could collide."""
TEXT_LENGTH_MAX: Final = 1 << 18
"""Characters of one text value; four bytes each, so that one value never passes a record."""
DECIMAL_DIGITS_MAX: Final = 38
RETENTION_DAYS_MAX: Final = 36_500


def _field_name(name: str) -> str:
    """Letters, digits and ``_`` (Chinese column headings included), not led by ``_`` or a digit."""
    plain = name.isidentifier() and not name.startswith("_") and name.isprintable()
    if plain and len(name.encode()) <= NAME_BYTES_MAX:
        return name
    raise wrong(
        "name",
        f"a field name has letters, digits and '_', starts with a letter, at most {NAME_BYTES_MAX}"
        " bytes of UTF-8",
        f"字段名由文字、数字和下划线组成，以文字开头，不超过 {NAME_BYTES_MAX} 字节",
    )


def _code_values(given: object) -> object:
    """A list of codes is a mapping of codes to no label."""
    if not isinstance(given, list | tuple):
        return given
    twice = [value for value, times in Counter(map(str, given)).items() if times > 1]
    if twice:
        raise wrong("values", f"code {twice[0]!r} stands twice", f"代码 {twice[0]!r} 重复")
    if not all(isinstance(value, str) for value in given):
        raise wrong(
            "values", "a code is text: put it in quotes ('01')", "代码是文本，请加引号（'01'）"
        )
    return dict.fromkeys(given, "")


def _cycle(name: str) -> str:
    if name in CYCLES:
        return name
    known = ", ".join(CYCLES)
    raise wrong("cycle", f"a cycle is one of: {known}", f"更新周期须为：{known}")


FieldName = Annotated[StrictStr, AfterValidator(_field_name)]
Title = Annotated[StrictStr, Field(max_length=200)]
CodeValue = Annotated[StrictStr, Field(min_length=1, max_length=64)]


class _Model(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, validate_default=False
    )


class Titles(_Model):
    """What people call it. At least the Chinese title of a dataset is expected by the catalogue."""

    zh: Title = ""
    en: Title = ""


class ContractField(_Model):
    """One field. ``values``, ``digits``, ``scale`` and ``length`` belong to one type each."""

    name: FieldName
    type: FieldKind
    level: Annotated[StrictInt, Field(ge=1, le=SECTIONS_MAX)]
    required: StrictBool = False
    title: Titles = Titles()
    values: Annotated[
        dict[CodeValue, Title] | None, BeforeValidator(_code_values), Field(max_length=5_000)
    ] = None
    """``code``: the allowed codes, with labels for people (or ``""``)."""
    digits: Annotated[StrictInt, Field(ge=1, le=DECIMAL_DIGITS_MAX)] | None = None
    """``decimal``: digits in all."""
    scale: Annotated[StrictInt, Field(ge=0, le=DECIMAL_DIGITS_MAX)] | None = None
    """``decimal``: digits after the point."""
    length: Annotated[StrictInt, Field(ge=1, le=TEXT_LENGTH_MAX)] | None = None
    """``text``: characters at most."""
    personal: Literal["general", "sensitive"] | None = None
    """Personal data (个人信息): asked for only as the duty needs it (PI-01), and with an impact
    assessment (PI-02). A resident ID is sensitive unless this says otherwise."""

    @model_validator(mode="after")
    def _options_fit_type(self) -> Self:
        for option, kind in _OPTION_OF.items():
            if getattr(self, option) is not None and self.type != kind:
                raise wrong(
                    "option",
                    f"'{option}' belongs to type {kind}, not to {self.type}",
                    f"“{option}” 只用于 {kind} 类型，不用于 {self.type} 类型",
                )
        if self.type == "code" and not self.values:
            raise wrong("option", "type code needs 'values'", "code 类型需要 values")
        if self.type == "decimal" and (self.digits is None or self.scale is None):
            raise wrong(
                "option", "type decimal needs 'digits' and 'scale'", "decimal 需要 digits 和 scale"
            )
        if self.scale is not None and self.digits is not None and self.scale > self.digits:
            raise wrong("option", "'scale' is larger than 'digits'", "scale 大于 digits")
        return self


_OPTION_OF: Final[dict[str, FieldKind]] = {
    "values": "code",
    "digits": "decimal",
    "scale": "decimal",
    "length": "text",
}


class Region(_Model):
    """The field that says which place a record belongs to, and how finely streams split by it."""

    field: StrictStr
    level: RegionLevel


class Section(_Model):
    """The fields of one sensitivity level, in the contract's order."""

    level: int
    fields: tuple[str, ...]


class Contract(_Model):
    """What the records of one dataset look like; equal contracts have equal hashes."""

    dataset: Annotated[StrictStr, Field(pattern=SLUG_FORM)]
    title: Titles
    fields: Annotated[tuple[ContractField, ...], Field(min_length=1, max_length=FIELDS_MAX)]
    key: Annotated[tuple[StrictStr, ...], Field(min_length=1, max_length=16)]
    region: Region | None = None
    subject: StrictStr | None = None
    """The field that names the person or organisation a record is about."""
    cycle: Annotated[StrictStr, AfterValidator(_cycle)]
    retention_days: Annotated[StrictInt, Field(ge=1, le=RETENTION_DAYS_MAX)]

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        self._names_differ()
        self._key_stands()
        self._region_stands()
        if self.subject is not None:
            self._known(self.subject, "subject")
        return self

    def _names_differ(self) -> None:
        """Databases fold case: two names that differ in case only would be one column."""
        folded = Counter(field.name.casefold() for field in self.fields)
        for field in self.fields:
            if folded[field.name.casefold()] > 1:
                raise wrong(
                    "fields",
                    f"field {field.name!r} stands twice (upper and lower case count as one)",
                    f"字段 {field.name!r} 重复（不区分大小写）",
                )

    def _known(self, name: str, part: str) -> ContractField:
        for field in self.fields:
            if field.name == name:
                return field
        raise wrong(part, f"{part} names no field: {name!r}", f"{part} 指定的字段不存在：{name!r}")

    def _key_stands(self) -> None:
        fields = [self._known(name, "key") for name in self.key]
        if len(set(self.key)) != len(self.key):
            raise wrong("key", "a key field stands twice", "主键字段重复")
        if len({field.level for field in fields}) != 1:
            raise wrong(
                "key",
                "key fields have different levels; they must lie in one section",
                "主键字段的敏感级别不同，须位于同一分段",
            )
        for field in fields:
            if not field.required:
                raise wrong(
                    "key",
                    f"key field {field.name!r} must be 'required: true'",
                    f"主键字段 {field.name!r} 须标明 required: true",
                )

    def _region_stands(self) -> None:
        if self.region is None:
            return
        field = self._known(self.region.field, "region")
        if field.type != "region" or not field.required:
            raise wrong(
                "region",
                f"the region field {field.name!r} must have type region and 'required: true'",
                f"区划字段 {field.name!r} 须为 region 类型并标明 required: true",
            )

    @classmethod
    def from_yaml(cls, source: Path | bytes, *, name: str = "contract") -> Self:
        """Read a contract file, or the bytes of one called ``name`` in messages.

        Raises `ContractInvalid`; the message names file, line and remedy.
        """
        raw = source if isinstance(source, bytes) else read_contract_file(source)
        shown = name if isinstance(source, bytes) else source.name
        document = read_yaml(raw, name=shown, bytes_max=CONTRACT_BYTES_MAX)
        try:
            contract = cls.model_validate(document.data)
        except ValidationError as error:
            raise explain(error, document) from None
        contractcodec.check_size(contract.encoded, shown)
        return contract

    @classmethod
    def decode(cls, encoded: bytes) -> Self:
        """The contract that ``encoded`` is the one canonical form of; else `ContractInvalid`."""
        body = contractcodec.unpack(encoded)
        try:
            contract = cls.model_validate(body)
        except ValidationError as error:
            raise contractcodec.malformed(error.errors(include_input=False)[0]["msg"]) from None
        if contract.encoded != encoded:
            raise contractcodec.malformed("not the canonical form")
        return contract

    @cached_property
    def encoded(self) -> bytes:
        """Canonical CBOR, as acts carry it."""
        return contractcodec.pack(self.model_dump())

    @cached_property
    def hash(self) -> bytes:
        """SHA-256 of `encoded`; 32 bytes."""
        return hashlib.sha256(self.encoded).digest()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All field names in order."""
        return tuple(field.name for field in self.fields)

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """The sections, lowest level first; levels without fields have none."""
        levels = sorted({field.level for field in self.fields})
        return tuple(Section(level=level, fields=self.fields_of(level)) for level in levels)

    @cached_property
    def key_section(self) -> Section:
        """The section that holds the whole primary key."""
        return self.section_of(self.key[0])

    def field(self, name: str) -> ContractField:
        """The field called ``name``; `ContractInvalid` if there is none."""
        for field in self.fields:
            if field.name == name:
                return field
        raise contractcodec.no_such_field(name, self.dataset)

    def fields_of(self, level: int) -> tuple[str, ...]:
        """Names of the fields at ``level``, in order; empty if there are none."""
        return tuple(field.name for field in self.fields if field.level == level)

    def section_of(self, name: str) -> Section:
        """The section that field ``name`` lies in; `ContractInvalid` if there is no such field."""
        level = self.field(name).level
        return Section(level=level, fields=self.fields_of(level))

    @cached_property
    def personal(self) -> dict[str, str]:
        """Fields of personal data, each ``general`` or ``sensitive``, in order.

        A resident ID is sensitive unless its contract says otherwise.
        """
        kinds = {
            field.name: field.personal or ("sensitive" if field.type == "resident-id" else None)
            for field in self.fields
        }
        return {name: kind for name, kind in kinds.items() if kind is not None}

    @property
    def region_digits(self) -> int:
        """Digits of a stream's region; 0 when the dataset does not split by region."""
        return 0 if self.region is None else REGION_DIGITS[self.region.level]
