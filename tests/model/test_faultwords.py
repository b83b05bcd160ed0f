"""What a person typed wrong is said in words, in both languages, and without the value."""

from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from exchange.daemon import configuration
from exchange.model import acts, acttypes, dutyacts, evidenceacts, lawacts, lifeacts
from exchange.model.faultwords import _FORMS, HASH_FORM, in_words
from exchange.model.text import Text
from exchange.wiring import claim, connection, home, newcomer, witnesskeys
from exchange.wiring.tomlfile import Table

MODULES = (acts, acttypes, dutyacts, evidenceacts, lawacts, lifeacts)
FILES = (claim, configuration, connection, home, witnesskeys)


def patterns(model: type[BaseModel]) -> Iterator[str]:
    def walk(schema: Any) -> Iterator[str]:  # noqa: ANN401 - a schema
        if isinstance(schema, dict):
            if isinstance(schema.get("pattern"), str):
                yield schema["pattern"]
            for inner in schema.values():
                yield from walk(inner)
        elif isinstance(schema, list | tuple):
            for inner in schema:
                yield from walk(inner)

    yield from walk(model.__pydantic_core_schema__)


def models() -> Iterator[type[BaseModel]]:
    for module in (*MODULES, *FILES):
        for one in vars(module).values():
            if isinstance(one, type) and issubclass(one, BaseModel):
                yield one


def test_every_form_that_is_judged_by_a_pattern_has_words() -> None:
    found = {pattern for model in models() for pattern in patterns(model)}
    assert HASH_FORM in found
    assert found <= _FORMS.keys()


class Typed(Table):
    region: acttypes.Region = ""
    name: acttypes.Slug = "abc"
    kind: acttypes.MemberKind = "department"
    mode: acttypes.Mode = ""
    code: acttypes.Code = ""
    fields: acttypes.Fields = ()
    port: home.Port = 1
    holder: lawacts.HolderCode = "ab"
    local: bool = True
    short: Annotated[str, StringConstraints(min_length=2)] = "ab"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"region": "330000x"}, Text("2, 4, 6, 9 or 12 digits", "行政区划代码")),
        ({"name": "No Name"}, Text("3 to 63 of a-z", "小写字母")),
        ({"kind": "bogus"}, Text("department, authorised", "department, authorised")),
        ({"mode": "x"}, Text("expected: table, api, file", "其中之一：table, api, file")),
        ({"code": "x" * 201}, Text("at most 200 characters", "200 字")),
        ({"code": "a\x1b[31m"}, Text("control character", "控制字符")),
        ({"fields": ("",)}, Text("must not be empty", "不得为空")),
        ({"short": "a"}, Text("at least 2 characters", "至少 2 字")),
        ({"fields": ("a",) * 1_025}, Text("at most 1024 values", "1024 项")),
        ({"port": 0}, Text("at least 1 is", "不得小于 1")),
        ({"port": 70_000}, Text("at most 65535 is", "不得大于 65535")),
        ({"port": "1"}, Text("a whole number", "整数")),
        ({"holder": "-"}, Text("2 to 40 letters", "2 至 40")),
        ({"local": 1}, Text("true or false", "true 或 false")),
    ],
)
def test_what_is_wrong_is_said_in_words(said: dict[str, Any], words: Text) -> None:
    with pytest.raises(ValidationError) as refused:
        Typed.model_validate(said)
    found = in_words(refused.value.errors(include_input=False, include_url=False)[0])
    assert words.en in found.en
    assert words.zh in found.zh
    assert "\\z" not in found.en


def test_an_option_is_named_with_them() -> None:
    with pytest.raises(ValidationError) as refused:
        Typed.model_validate({"region": "zz"})
    problem = newcomer.unfit(refused.value)
    assert problem.text.en.startswith("--region: 2, 4, 6")
    assert problem.text.zh.startswith("--region：须为 2、4")


class Lax(BaseModel):
    model_config = ConfigDict(strict=True)
    number: float


def test_what_is_foreseen_nowhere_is_still_told() -> None:
    with pytest.raises(ValidationError) as refused:
        Lax.model_validate({"number": "x"})
    found = in_words(refused.value.errors()[0])
    assert found.zh == "取值不合规"
    assert "number" in found.en
