"""What a reconciliation may find: one class, a sentence and a remedy a kind. Pure."""

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from exchange.model.text import Text

FindingKind = Literal[
    "key-without-receipt",
    "receipt-without-release",
    "receipt-gap",
    "gap-declared",
    "not-delivered",
    "withheld",
    "anchor-behind",
    "head-mismatch",
    "fork",
]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not line up, since ``since_ms`` (ledger time), at ``age_ms`` then.

    ``responsible`` is the member that has to explain it. ``first`` and ``last`` are sequences of
    the stream, ``entries`` the ledger entries that show it. ``grant`` and ``consumer`` are empty
    where no reader is concerned.
    """

    kind: FindingKind
    since_ms: int
    age_ms: int
    responsible: str
    dataset: str
    provider: str
    consumer: str
    grant: bytes
    stream: bytes
    first: int
    last: int
    entries: tuple[int, ...]

    def concerns(self, member: str) -> bool:
        """Whether ``member`` is responsible or a party."""
        return member in (self.responsible, self.provider, self.consumer)

    @property
    def text(self) -> Text:
        """What was found, in one sentence."""
        return self._filled(_SAID[self.kind].sentence)

    @property
    def remedy(self) -> Text:
        """What to do about it."""
        return self._filled(_SAID[self.kind].remedy)

    def _filled(self, text: Text) -> Text:
        values = {
            "dataset": self.dataset,
            "provider": self.provider,
            "consumer": self.consumer,
            "grant": self.grant.hex()[:12],
            "stream": self.stream.hex()[:12],
            "first": self.first,
            "last": self.last,
        }
        return Text(text.en.format(**values), text.zh.format(**values))


class _Said(NamedTuple):
    title: Text
    sentence: Text
    remedy: Text


def title(kind: FindingKind) -> Text:
    """The name of a kind for people."""
    return _SAID[kind].title


_SAID: Final[dict[FindingKind, _Said]] = {
    "key-without-receipt": _Said(
        Text("key without receipt", "有密钥无回执"),
        Text(
            "{consumer} was given keys of {dataset} (stream {stream}, from bundle {first} on) and"
            " no receipt answers them",
            "{consumer} 已取得 {dataset} 的密钥（数据流 {stream}，自数据包 {first} 起），"
            "但没有回执与之对应",
        ),
        Text(
            "{consumer} runs its adapter once more, which files what it owes; if it does not,"
            " revoke grant {grant}",
            "请 {consumer} 再次运行其适配器以补交回执；拒不补交的，撤销授权 {grant}",
        ),
    ),
    "receipt-without-release": _Said(
        Text("receipt without release", "有回执无发放"),
        Text(
            "{consumer} says that it opened bundles {first} to {last} of {dataset} (stream"
            " {stream}), for which the ledger shows no key under grant {grant}",
            "{consumer} 声称已解开 {dataset} 的数据包 {first} 至 {last}（数据流 {stream}），"
            "但账本上没有授权 {grant} 下的密钥发放",
        ),
        Text(
            "find out where {consumer} had the key from; a hub that releases without an entry must"
            " be stopped",
            "请查明 {consumer} 的密钥来源；未记账即发放的枢纽必须停用",
        ),
    ),
    "receipt-gap": _Said(
        Text("gap between receipts", "回执不连续"),
        Text(
            "the receipts of {consumer} leave out bundles {first} to {last} of {dataset} (stream"
            " {stream})",
            "{consumer} 的回执缺少 {dataset} 的数据包 {first} 至 {last}（数据流 {stream}）",
        ),
        Text(
            "{consumer} files receipts for them or says why it did not deliver them",
            "请 {consumer} 补交回执，或说明未交付的原因",
        ),
    ),
    "gap-declared": _Said(
        Text("bundles lost", "数据包缺失"),
        Text(
            "{provider} has declared bundles {first} to {last} of {dataset} (stream {stream}) lost",
            "{provider} 已声明 {dataset} 的数据包 {first} 至 {last}（数据流 {stream}）缺失",
        ),
        Text(
            "{provider} publishes these records anew",
            "请 {provider} 重新发布相应记录",
        ),
    ),
    "not-delivered": _Said(
        Text("provided, not delivered", "已提供未交付"),
        Text(
            "{provider} has provided {dataset} up to bundle {last} (stream {stream}); {consumer}"
            " has never fetched any of it under grant {grant}",
            "{provider} 已将 {dataset} 提供至数据包 {last}（数据流 {stream}），"
            "{consumer} 从未依授权 {grant} 取用",
        ),
        Text(
            "{consumer} fetches it (exchange pull), or gives the grant back",
            "请 {consumer} 取用（exchange pull），或交回授权",
        ),
    ),
    "withheld": _Said(
        Text("withheld", "疑似扣留"),
        Text(
            "{provider} says that {dataset} (stream {stream}) goes to bundle {last}, but {consumer}"
            " has receipts only up to the one before {first}, and asked for no further key",
            "{provider} 称 {dataset}（数据流 {stream}）已到数据包 {last}，"
            "而 {consumer} 的回执止于数据包 {first} 之前，且未再申请密钥",
        ),
        Text(
            "{consumer} pulls again; if nothing arrives, {provider} shows that the bundles stand on"
            " the topic",
            "请 {consumer} 再次接收；若仍未收到，由 {provider} 证明数据包在主题上",
        ),
    ),
    "anchor-behind": _Said(
        Text("anchor behind", "锚点滞后"),
        Text(
            "receipts of {dataset} (stream {stream}) name bundle {last}, but {provider} has"
            " anchored nothing from {first} on",
            "{dataset}（数据流 {stream}）的回执已到数据包 {last}，"
            "而 {provider} 自 {first} 起未报进度",
        ),
        Text(
            "{provider} runs its adapter, which anchors what it has sent",
            "请 {provider} 运行其适配器以上报进度",
        ),
    ),
    "head-mismatch": _Said(
        Text("two heads", "链头不一致"),
        Text(
            "bundle {first} of {dataset} (stream {stream}) has one hash in one entry and another in"
            " the other: somebody was shown another history, or says so",
            "{dataset} 的数据包 {first}（数据流 {stream}）在两条记录中的散列值不同："
            "有人看到了另一份历史，或作了不实陈述",
        ),
        Text(
            "both members produce the signed header; two valid ones prove a fork by {provider}",
            "请双方出示已签名的包头；两个均有效即证明 {provider} 分叉",
        ),
    ),
    "fork": _Said(
        Text("fork proven", "已证实分叉"),
        Text(
            "{provider} signed two histories of {dataset} (stream {stream}) from bundle {first} on",
            "{provider} 对 {dataset}（数据流 {stream}）自数据包 {first} 起签署了两份历史",
        ),
        Text(
            "{provider} says which is right and publishes the rest on a new stream",
            "请 {provider} 说明以何者为准，并在新数据流上重新发布",
        ),
    ),
}
