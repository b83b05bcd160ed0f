"""What can be wrong with a value, in two languages, with the remedy, and never with the value.

A value may be a resident ID; the sentence about it goes to logs, screens and files.
"""

from typing import Final, NamedTuple

from exchange.limits import RECORD_BYTES_MAX
from exchange.model.contract import TEXT_LENGTH_MAX
from exchange.model.text import Text


class Problem(NamedTuple):
    """Why a value was refused and what to do about it."""

    reason: Text
    remedy: Text


def _problem(en: str, zh: str, remedy_en: str, remedy_zh: str) -> Problem:
    return Problem(Text(en, zh), Text(remedy_en, remedy_zh))


MISSING: Final = _problem("a required value is missing", "缺少必填值", "fill it in", "请补填")
NOT_OPERATION: Final = _problem(
    "'_operation' is neither upsert nor delete",
    "_operation 既不是 upsert 也不是 delete",
    "write upsert, delete, or leave it empty",
    "请填写 upsert、delete 或留空",
)
NOT_TEXT: Final = _problem("not text", "不是文本", "put the value in quotes", "请为该值加引号")
NOT_UNICODE: Final = _problem(
    "the text holds half a character or U+0000",
    "文本含残缺字符或空字符",
    "export it again as UTF-8",
    "请重新以 UTF-8 导出",
)
NOT_LISTED: Final = _problem(
    "not one of the codes of the contract",
    "不在合约的代码表中",
    "see 'values' of the field in the contract",
    "请参照合约中该字段的 values",
)
NOT_INTEGER: Final = _problem(
    "not a whole number of at most 64 bits",
    "不是 64 位以内的整数",
    "write digits only, without leading zeros; an identifier with leading zeros has type text",
    "只写数字，不带前导零；带前导零的编号应定义为文本",
)
NOT_BOOLEAN: Final = _problem(
    "neither true nor false",
    "不是布尔值",
    "write true or false (是, 否)",
    "请填写 true 或 false（是、否）",
)
NOT_DATE: Final = _problem(
    "not a date written YYYY-MM-DD",
    "不是 YYYY-MM-DD 形式的有效日期",
    "write YYYY-MM-DD",
    "请按 YYYY-MM-DD 填写",
)
NOT_DATETIME: Final = _problem(
    "not an instant that exists, with its zone",
    "不是带时区的有效时间",
    "write 2026-01-31T08:00:00+08:00 (RFC 3339)",
    "请按 2026-01-31T08:00:00+08:00 填写（RFC 3339）",
)
ID_SHAPE: Final = _problem(
    "not a resident ID: 18 characters, a province and a birth date that exist",
    "不是居民身份号码：须 18 位，省份和出生日期须有效",
    "check the number against the certificate",
    "请对照证件核对",
)
ID_CHECK: Final = _problem(
    "the check digit of the resident ID does not fit (GB 11643)",
    "居民身份号码校验码不符（GB 11643）",
    "one character is mistyped or two are swapped; check it against the certificate",
    "可能有一位录错或两位颠倒，请对照证件核对",
)
CREDIT_SHAPE: Final = _problem(
    "not a unified social credit code: 18 digits and capitals without I, O, S, V, Z",
    "不是统一社会信用代码：须 18 位数字或大写字母，不含 I、O、S、V、Z",
    "check it against the certificate; 0 and O, 1 and I are easily confused",
    "请对照证照核对，注意 0 与 O、1 与 I",
)
CREDIT_CHECK: Final = _problem(
    "the check character of the credit code does not fit (GB 32100)",
    "统一社会信用代码校验码不符（GB 32100）",
    "one character is mistyped or two are swapped; check it against the certificate",
    "可能有一位录错或两位颠倒，请对照证照核对",
)
REGION_SHAPE: Final = _problem(
    "not a region code: 2, 4, 6, 9 or 12 digits",
    "不是行政区划代码：须 2、4、6、9 或 12 位数字",
    "write the code of GB/T 2260 as text, without spaces",
    "请按 GB/T 2260 以文本填写，不含空格",
)
REGION_UNKNOWN: Final = _problem(
    "no such province, city or county (GB/T 2260)",
    "省、市或县级代码不存在（GB/T 2260）",
    "use the present code, without trailing zeros (33, not 330000)",
    "请使用现行代码，不补零（写 33，不写 330000）",
)
TOO_LARGE: Final = _problem(
    f"the record is larger than {RECORD_BYTES_MAX} bytes",
    f"记录超过 {RECORD_BYTES_MAX} 字节",
    "keep large content in a file and put its address and hash into the record",
    "请将大内容另存为文件，在记录中填写其地址和哈希",
)


def too_long(characters: int) -> Problem:
    """More characters than the contract allows, or than any contract may allow."""
    if characters >= TEXT_LENGTH_MAX:
        most = Text(
            f"longer than {characters} characters, the most that a field may have",
            f"超过 {characters} 个字符（字段长度上限）",
        )
        return Problem(most, TOO_LARGE.remedy)
    return _problem(
        f"longer than {characters} characters",
        f"超过 {characters} 个字符",
        "shorten it, or raise 'length' in the contract",
        "请缩短，或在合约中调大 length",
    )


def key_too_large(size_bytes: int) -> Problem:
    """A primary key that no database could index."""
    return _problem(
        f"the primary key is larger than {size_bytes} bytes",
        f"主键超过 {size_bytes} 字节",
        "choose shorter key fields",
        "请选用较短的主键字段",
    )


def region_too_coarse(digits: int) -> Problem:
    """A region code that ends above the level at which streams split."""
    return _problem(
        f"the region code is shorter than the {digits} digits by which the dataset splits",
        f"区划代码少于数据集划分所用的 {digits} 位",
        "give the finer code",
        "请填写更细一级的代码",
    )


def not_decimal(digits: int, scale: int) -> Problem:
    """Not a decimal number of the contract's digits and scale."""
    return _problem(
        f"not a decimal number of at most {digits} digits, {scale} of them after the point",
        f"不是十进制数：最多 {digits} 位，其中小数 {scale} 位",
        "write it like 12.50, without signs of grouping or exponents",
        "请按 12.50 的形式填写，不用千分位或指数",
    )
