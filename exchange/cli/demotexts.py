"""What the demo tells, in both languages."""

from typing import Final

from exchange.model.text import Text

TITLE: Final = Text(
    "The Exchange, on this machine: five organisations, two datasets, one ledger",
    "数据交换总线演示：五个机构，两个数据集，一本账",
)
GENERATED: Final = Text(
    "(a) villages and communities of Zhejiang: real public data. (b) exam results: generated from a"
    " seed; no person in them exists",
    "（a）浙江省村（社区）名录为真实公开数据；（b）考试成绩为按固定种子生成的数据，其中没有真实的个人",
)
STARTING: Final = Text("Kafka, hub, keys, ledger", "启动 Kafka、枢纽，建立密钥与账本")
STARTED: Final = Text(
    "Kafka {kafka} and the hub run on this machine; the ledger begins with {pin}",
    "Kafka {kafka} 与枢纽已在本机运行；账本创世哈希 {pin}",
)
ENROLLING: Final = Text("The authority enrols its members", "主管部门接纳成员")
ENROLLED: Final = Text("{name} ({member}): entry {index}", "{name}（{member}）：账本条目 {index}")
AUTHORITY: Final = Text("{name} ({member}): named by entry 0", "{name}（{member}）：由创世条目载明")
CATALOGUE: Final = Text("Two datasets enter the catalogue", "两个数据集进入目录")
PROPOSED: Final = Text(
    "{provider} proposes {dataset} ({sharing}), the authority reviews and publishes it: {fields}"
    " fields in {sections} sections",
    "{provider} 申报 {dataset}（{sharing}），主管部门审核发布：{fields} 个字段，{sections} 个分段",
)
PURPOSE_TITLE: Final = Text("Check of a professional qualification", "专业技术资格核验")
PURPOSE: Final = Text(
    "the authority registers a purpose: {title} ({purpose})",
    "主管部门登记用途：{title}（{purpose}）",
)
INCOMPLETE: Final = Text(
    "It names its duty, but not the procedure and the manner: returned once, with the full list",
    "人社厅写明职责，但缺少使用场景和提供方式：一次性退回补正",
)
RETURNED: Final = Text("returned (REQ-01), missing: {missing}", "已退回（REQ-01），缺少：{missing}")
BARE: Final = Text(
    "It completes the application; the provider refuses without a basis",
    "人社厅补全申请；提供方无依据拒绝",
)
PUSHING_A: Final = Text(
    "Civil Affairs publishes its register: sealed before it leaves",
    "民政厅发布名录：加密后才离开本部门",
)
PUSHING_B: Final = Text(
    "The Examination Authority publishes its results, each section under its own key",
    "考试院发布成绩：每个分段使用独立密钥",
)
PUSHED: Final = Text(
    "{records} records are on Kafka; the broker can read none of them",
    "{records} 条记录已在 Kafka 上；Kafka 无法读取其中任何一条",
)
AT_ONCE: Final = Text(
    "Human Resources asks for the register: unconditional, so granted at once and free",
    "人社厅申请名录：无条件共享，当即授权，无偿提供",
)
GRANTED_AT_ONCE: Final = Text(
    "grant {grant} stands on the ledger ({rules}); keys are asked for, logged, then released",
    "授权 {grant} 已记入账本（{rules}）；密钥申请先记账、后发放",
)
RECEIVED: Final = Text(
    "{records} records received; all {rows} rows are the same as in the source",
    "收到 {records} 条记录；{rows} 行与来源逐一核对一致",
)
NO_DUTY: Final = Text(
    "It asks for the exam results without naming a statutory duty",
    "人社厅申请考试成绩，但未写明法定职责",
)
FEE: Final = Text(
    "The application stays open; the provider tries to charge for it",
    "申请保持待答复；提供方试图收费",
)
APPLIED: Final = Text(
    "application {request}: purpose {purpose}, duty {duty}",
    "申请 {request}：用途“{purpose}”，依据“{duty}”",
)
REFUSED: Final = Text("refused under {rule} {title}", "依 {rule}（{title}）拒绝")
SOURCE: Final = Text("  source: {source}", "  依据：{source}")
PARTLY: Final = Text(
    "The provider grants two of three sections, for one city",
    "提供方同意三个分段中的两个，限一个城市",
)
GRANT: Final = Text(
    "grant {grant}: {fields}; region {region}", "授权 {grant}：{fields}；区划 {region}"
)
EXACTLY: Final = Text(
    "received {records} of {all} records with {fields} of {all_fields} fields: exactly the rows of"
    " {region}, checked against the source; names and resident IDs did not arrive",
    "收到 {all} 条中的 {records} 条、{all_fields} 个字段中的 {fields} 个："
    "与来源核对，恰为 {region} 的记录；姓名与身份号码未提供",
)
REVOKING: Final = Text(
    "The grant is revoked; a bundle is sealed after it", "授权被撤销，其后又发布新的数据包"
)
REVOKED: Final = Text("revoked at entry {index}", "已于账本条目 {index} 撤销")
CLOSED: Final = Text(
    "the new bundle does not open: the hub refuses its key ({rules}); nothing arrived",
    "新数据包无法打开：枢纽拒绝发放密钥（{rules}），未收到任何数据",
)
TAMPERING: Final = Text(
    "Somebody who owns the broker changes one byte of a bundle and puts it on the topic",
    "有人控制了 Kafka，改动一个数据包的一个字节后重新写入主题",
)
TAMPERED: Final = Text(
    "refused and counted ({failure}); the genuine bundle was delivered: {records} records",
    "已拒绝并计数（{failure}）；此前的真实数据包照常交付：{records} 条记录",
)
AUDITING: Final = Text(
    "The auditor reads the ledger itself: who read what, on which basis?",
    "审计厅自行读取账本：谁读取了什么，依据是什么？",
)
SUMMARY: Final = Text("Summary", "结果汇总")
WHAT: Final = Text("what", "项目")
RESULT: Final = Text("result", "结果")
RECORDS_PUSHED: Final = Text("records published", "发布记录数")
RECORDS_DELIVERED: Final = Text("records delivered", "交付记录数")
REFUSALS: Final = Text("refusals on the ledger", "账本上的拒绝")
TAMPERED_COUNT: Final = Text("tampered bundles refused", "拒绝的篡改数据包")
OVERDUE: Final = Text("overdue duties", "逾期义务")
ENTRIES: Final = Text("ledger entries", "账本条目数")
ROOT: Final = Text("ledger root", "账本根")
VERIFIED: Final = Text("ledger verified", "账本核验")
SECONDS: Final = Text("seconds", "用时（秒）")
YES: Final = Text("yes", "通过")
NO: Final = Text("no", "未通过")
WRITTEN: Final = Text("written to {file}", "已写入 {file}")
LEFT_RUNNING: Final = Text(
    "everything is left running; look around with: exchange --home {home} status (stop it with: …"
    " down)",
    "保持运行，可查看：exchange --home {home} status（停止：… down）",
)
STOPPING: Final = Text("stopping everything", "正在停止")
SEALING: Final = Text("sealing and sending", "加密并发送")
OPENING: Final = Text("asking for keys, opening, writing", "申请密钥、解密、写入")
NOT_AS_TOLD: Final = Text(
    "the demo did not go as told at: {step} ({found})", "演示在此步与预期不符：{step}（{found}）"
)
HONEST: Final = Text(
    "What this does not do: data that was opened cannot be recalled; revocation stops the next key;"
    " the broker sees sizes, times and who publishes.",
    "须知：已解密的数据无法收回；撤销只阻止之后的密钥；Kafka 可见数据大小、时间与发布方。",
)
