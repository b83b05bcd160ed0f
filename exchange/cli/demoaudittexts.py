"""What the auditor's part of the demo tells, in both languages."""

from typing import Final

from exchange.model.text import Text

PROVING: Final = Text(
    "The auditor proves one release to somebody who trusts nobody here",
    "审计厅向不信任任何一方的第三人证明一次密钥发放",
)
PROOF: Final = Text(
    "entry {index} stands under the signed head of {size} entries: {file}",
    "第 {index} 条位于已签名的 {size} 条检查点之下：{file}",
)
IN_GO: Final = Text(
    "a verifier in Go, made of golang.org/x/mod/sumdb alone, accepts it",
    "仅用 golang.org/x/mod/sumdb 写成的 Go 核验程序予以认可",
)
OFFLINE: Final = Text(
    "verified offline by the Exchange itself: Go, or the source of the verifier in Go, is not here",
    "已由本软件离线核验：此处没有 Go 或 Go 核验程序的源码",
)
RECONCILING: Final = Text(
    "Releases, receipts and anchors are lined up", "密钥发放、回执与进度锚点逐一核对"
)
CLEAN: Final = Text(
    "everything lines up: {keys} keys, {receipts} receipts, {anchors} anchors",
    "全部一致：密钥 {keys} 份，回执 {receipts} 份，锚点 {anchors} 个",
)
WITHHOLDING: Final = Text(
    "Human Resources reads a supplement and files no receipt",
    "人社厅读取增补数据，却不提交回执",
)
SILENT: Final = Text(
    "{records} records read; its hub proxy swallowed the receipt",
    "已读取 {records} 条记录，其代理截留了回执",
)
FOUND: Final = Text(
    "found by reconciling, key released in entry {entry}: {what}",
    "对账发现（密钥发放于第 {entry} 条）：{what}",
)
REPORTING: Final = Text(
    "The auditor issues a signed report about Human Resources",
    "审计厅出具关于人社厅的签名报告",
)
REPORT: Final = Text(
    "{folder}: {files} files, {proofs} proofs; checked offline against the pinned genesis",
    "{folder}：文件 {files} 个，证明 {proofs} 个；已对照创世哈希离线核验",
)
