"""What each failure class of SPEC.md §6 tells people; programs read the class."""

from typing import Final

from exchange.errors import BundleRefused

_TAMPERED: Final = (
    "it was altered, or is not for this stream: ask its provider to send it again",
    "数据包被改动或不属于该数据流：请提供方重新发送",
)
_SPLIT: Final = ("split the batch", "请拆分该批次")

_SENTENCES: Final[dict[str, tuple[str, str]]] = {
    "bundle-large": ("the bundle is over the size limit", "数据包超过大小上限"),
    "bundle-shape": ("this is no bundle", "这不是数据包"),
    "header-shape": ("the header does not have the fields of a header", "包头字段不全或多余"),
    "format": ("the bundle has a format this program does not know", "本程序不支持该数据包格式"),
    "suite": ("the bundle has a suite this program does not know", "本程序不支持该密码套件"),
    "sections-count": ("the bundle lacks a section or has one too many", "数据包分段数量不符"),
    "key": ("the provider's key must not be used", "提供方的公钥不可使用"),
    "kid": (
        "the header is signed by another key than the stream's",
        "包头并非由该数据流的密钥签署",
    ),
    "signature": ("the header's signature is wrong", "包头签名无效"),
    "section-hash": ("a section is not the one the header names", "分段内容与包头所列摘要不符"),
    "section-length": ("a section has a length no sealed section has", "分段长度不合规"),
    "contract": ("the bundle follows another contract", "数据包依据的合约不同"),
    "levels": ("the sections are not those of the contract", "分段与合约的级别不符"),
    "keys": ("there is no key for a section, or one too many", "缺少分段密钥或密钥多余"),
    "commitment": (
        "the provider did not commit to this key: the secret it wrapped is another one",
        "提供方未对该密钥作出承诺：其封装的并非同一密钥",
    ),
    "aead": ("a section does not open with its key", "分段无法用其密钥解开"),
    "frame-length": ("the padded frame has a length it cannot have", "填充帧长度不合规"),
    "frame-padding": ("the padding is not zeros", "填充内容不是零"),
    "zstd-unknown": ("the compressed data does not say its size", "压缩数据未声明大小"),
    "plain-size": ("the plaintext has another size than the header says", "明文大小与包头不符"),
    "zstd": ("the compressed data is not one whole frame", "压缩数据不是一个完整的帧"),
    "structure": ("a section holds more or fewer values than it should", "分段内值的数量不符"),
    "json": ("a section is not JSON", "分段内容不是 JSON"),
    "columns": ("the columns are not those of the contract", "列与合约不符"),
    "values": ("a column has a value of a type no record has", "列中有类型不合规的值"),
    "versions": ("the versions are not what the header says", "版本号与包头不符"),
    "operations": ("the operations are not as they must be", "操作标记不合规"),
    "sections-disagree": (
        "the sections disagree on versions or operations",
        "各分段的版本或操作不一致",
    ),
    "batch-empty": ("a batch without records is not sealed", "空批次不予封装"),
    "batch-large": ("the batch does not fit one bundle", "批次过大，无法装入一个数据包"),
    "batch-columns": ("the batch does not have the contract's columns", "批次的列与合约不符"),
    "batch-versions": ("the versions of the batch do not grow", "批次的版本号未递增"),
    "batch-operations": ("the operations of the batch are not 0 or 1", "批次的操作标记不是 0 或 1"),
    "batch-values": ("the batch has a value that cannot be sealed", "批次含无法封装的值"),
    "epoch-used-up": ("the epoch is used up: start another", "该密钥周期已用尽，请开启新周期"),
    "sequence": ("the sequence number does not follow", "序号不连续"),
}
_FAMILIES: Final[dict[str, tuple[str, str]]] = {
    "cbor": ("the bundle is not well-formed", "数据包格式错误"),
    "sign1": ("the header is no signed statement", "包头不是合规的签名文书"),
    "header": ("the header is not well-formed", "包头格式错误"),
    "field": ("a field of the header is not allowed", "包头字段不合规"),
    "expected": ("the header does not belong to this stream", "包头不属于该数据流"),
}


def refused(failure: str) -> BundleRefused:
    """The error to raise for ``failure``, a class of SPEC.md §6."""
    sentence = _SENTENCES.get(failure)
    if sentence is None:
        en, zh = _FAMILIES[failure.partition("-")[0]]
        sentence = (f"{en} ({failure})", f"{zh}（{failure}）")
    remedy = _SPLIT if failure == "batch-large" else _TAMPERED
    return BundleRefused(*sentence, remedy=remedy, failure=failure)
