"""What pydantic finds wrong, said in both languages to whoever typed it; never the value itself.

The sentence goes on after the name of an option or a key: ``--region: 2, 4, 6, 9 or 12 digits …``.
A form that is judged by a pattern is told in words, so a new pattern needs a line in `_FORMS`; a
test walks through the acts, contracts and configuration files and finds the one that lacks it.
"""

from collections.abc import Mapping
from typing import Any, Final

from pydantic_core import ErrorDetails, PydanticCustomError

from exchange.model.acttypes import REGION_FORM, SHOWN_FORM, SLUG_FORM
from exchange.model.lawacts import HOLDER_FORM
from exchange.model.text import Text

_SAID: Final = "said"
HASH_FORM: Final = r"^[0-9a-f]{64}\z"
"""A hash in a configuration file."""
BASE64_FORM: Final = r"^[A-Za-z0-9+/]+={0,2}\z"
"""Bytes in one."""

_FORMS: Final = {
    SLUG_FORM: Text(
        "3 to 63 of a-z, 0-9 and '-' are expected, a letter first and no '-' last",
        "须为 3 至 63 个小写字母、数字或连字符，以字母开头，不以连字符结尾",
    ),
    REGION_FORM: Text(
        "2, 4, 6, 9 or 12 digits of GB/T 2260 are expected, without trailing zeros",
        "须为 2、4、6、9 或 12 位行政区划代码（GB/T 2260），不补零",
    ),
    SHOWN_FORM: Text(
        "it holds a control character or one that turns the direction of writing",
        "含有控制字符或改变书写方向的字符",
    ),
    HOLDER_FORM: Text(
        "2 to 40 letters, digits, '.', '_' and '-' are expected, a letter or digit first",
        "须为 2 至 40 个字母、数字、“.”、“_”或“-”，以字母或数字开头",
    ),
    BASE64_FORM: Text("base64 is expected", "须为 base64"),
    HASH_FORM: Text(
        "64 hexadecimal digits (0-9, a-f) are expected", "须为 64 位十六进制数字（0-9、a-f）"
    ),
}
_KINDS: Final = {
    "string_type": Text("text in quotation marks is expected", "须为文本（加引号）"),
    "int_type": Text("a whole number is expected", "须为整数"),
    "bool_type": Text("true or false is expected", "须为 true 或 false"),
    "list_type": Text("a list is expected", "须为列表"),
    "tuple_type": Text("a list is expected", "须为列表"),
    "dict_type": Text("a table is expected", "须为一节（表）"),
    "model_type": Text("a table is expected", "须为一节（表）"),
}
_BOUNDS: Final = {
    "greater_than_equal": Text("at least {ge} is expected", "不得小于 {ge}"),
    "less_than_equal": Text("at most {le} is expected", "不得大于 {le}"),
    "string_too_short": Text("at least {min_length} characters are needed", "至少 {min_length} 字"),
    "string_too_long": Text("at most {max_length} characters are allowed", "限 {max_length} 字"),
    "too_short": Text("at least {min_length} values are expected", "不少于 {min_length} 项"),
    "too_long": Text("at most {max_length} values are allowed", "不得超过 {max_length} 项"),
}  # fmt: skip
_EMPTY: Final = Text("it must not be empty", "不得为空")
_OTHER: Final = "取值不合规"


def unfit(said: Text) -> PydanticCustomError:
    """An error for a validator to raise whose words are ``said``."""
    return PydanticCustomError(_SAID, "{en}", {"en": said.en, "zh": said.zh})


def in_words(fault: ErrorDetails) -> Text:
    """What is wrong, as one of `ValidationError.errors` says it."""
    context: Mapping[str, Any] = fault.get("ctx") or {}
    kind = fault["type"]
    if kind == _SAID:
        return Text(context["en"], context["zh"])
    if kind == "string_pattern_mismatch":
        return _FORMS.get(context["pattern"], Text(fault["msg"], _OTHER))
    if kind == "string_too_short" and context["min_length"] == 1:
        return _EMPTY
    if kind in _BOUNDS:
        form = _BOUNDS[kind]
        return Text(form.en.format(**context), form.zh.format(**context))
    if kind == "literal_error":
        expected = str(context["expected"]).replace("'", "").replace(" or ", ", ")
        allowed = expected.removeprefix(", ")  # "" stands for nothing said
        return Text(f"one of these is expected: {allowed}", f"须为其中之一：{allowed}")
    return _KINDS.get(kind, Text(fault["msg"], _OTHER))
