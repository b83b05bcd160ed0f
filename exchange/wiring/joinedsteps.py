"""What a joined home still lacks on the ledger: the pinned history, enrolment, an instance."""

from exchange.bus.kafka import KafkaBus
from exchange.errors import ExchangeError
from exchange.model.text import EMPTY, Text
from exchange.registry.state import Registry
from exchange.wiring.claim import read_claim
from exchange.wiring.home import DEFAULT_INSTANCE, Home
from exchange.wiring.homekafka import bootstrap_of
from exchange.wiring.ledgerview import FollowedLedger
from exchange.wiring.office import not_enrolled
from exchange.wiring.settings import Settings
from exchange.wiring.step import Step
from keys.errors import KeysError

_LEDGER = Text("ledger", "账本")
_MEMBER = Text("enrolment", "加入账本")
_INSTANCE = Text("instance", "适配器实例")


async def ledger_steps(home: Home, settings: Settings, member: str) -> list[Step]:
    """Read the ledger without any key; each step stands on the one before it."""
    bus = KafkaBus(bootstrap_of(home, settings), client_id="exchange-status")
    view = FollowedLedger(bus, topic=home.table.log.topic, pin=home.table.log.genesis)
    try:
        await view.catch_up()
    except ExchangeError as error:
        return [Step("ledger", _LEDGER, good=False, found=error.text, remedy=error.remedy)]
    finally:
        await view.close()
        await bus.close()
    size = view.follower.size
    found = Text(f"entries from the pin on: {size}", f"自创世条目起共 {size} 条")
    read = Step("ledger", _LEDGER, good=True, found=found)
    enrolled = _enrolled(home, view.registry, member)
    return [read, enrolled, *([_registered(view.registry, member)] if enrolled.good else [])]


def _enrolled(home: Home, registry: Registry, member: str) -> Step:
    row = registry.members.get(member)
    if row is None:
        lacking = not_enrolled(home, member)
        return _lacks("member", _MEMBER, lacking.text, lacking.remedy)
    try:
        claimed = read_claim(home.claim_file(member)).officer_kid
    except (ExchangeError, KeysError) as error:
        return _lacks("member", _MEMBER, Text(*error.text), Text(*error.remedy))
    if row.officer_kid != claimed:
        return _lacks(
            "member",
            _MEMBER,
            Text(
                f"{member} is enrolled with another officer key than this home's",
                f"账本上 {member} 的机构密钥与本主目录的不同",
            ),
            Text("ask the authority who was enrolled", "请向主管部门核实所接纳的机构"),
        )
    if not row.active:
        found = Text(f"{member} is suspended", f"{member} 已暂停")
        return _lacks("member", _MEMBER, found, Text("ask the authority", "请联系主管部门"))
    found = Text(f"{member}, entry {row.enrolled}", f"{member}，账本条目 {row.enrolled}")
    return Step("member", _MEMBER, good=True, found=found)


def _registered(registry: Registry, member: str) -> Step:
    if registry.active(member, DEFAULT_INSTANCE):
        row = registry.instances[member, DEFAULT_INSTANCE]
        name = f"{member}/{DEFAULT_INSTANCE}"
        found = Text(f"{name}, entry {row.registered}", f"{name}，账本条目 {row.registered}")
        return Step("instance", _INSTANCE, good=True, found=found)
    if (member, DEFAULT_INSTANCE) in registry.instances:
        found = Text("retired", "已停用")
        remedy = Text("exchange keys rotate", "请执行：exchange keys rotate")
    else:
        found = Text("not registered yet", "尚未登记")
        remedy = Text(
            "exchange member register; push, pull and adapters also do it by themselves",
            "请执行：exchange member register；推送、接收与适配器也会自动登记",
        )
    return _lacks("instance", _INSTANCE, found, remedy)


def _lacks(name: str, title: Text, found: Text, remedy: Text = EMPTY) -> Step:
    return Step(name, title, good=False, found=found, remedy=remedy)
