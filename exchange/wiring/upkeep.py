"""Start, stop and look at what a home runs: Kafka, the hub, the adapters.

Starting is safe to repeat: what runs is left alone. Each step waits until the one before it
answers. `look` names the first step that is missing, which is what an operator needs at 3 a.m.
"""

import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from threading import Thread
from typing import Final

from exchange.bus.fetch import Progress
from exchange.bus.kafka import KafkaBus
from exchange.errors import BusUnavailable, ExchangeError, HubUnavailable
from exchange.model.logstate import LogState
from exchange.model.problem import Sentences
from exchange.model.text import EMPTY, Text
from exchange.wiring.home import Home
from exchange.wiring.homekafka import bootstrap_of, embedded, is_embedded
from exchange.wiring.hubstart import check_passphrase, hub_elsewhere, readiness, runs_already
from exchange.wiring.joinedsteps import ledger_steps
from exchange.wiring.localsteps import hub_steps, no_room, process_step
from exchange.wiring.passphrase import Passphrase
from exchange.wiring.processes import Background
from exchange.wiring.settings import Settings
from exchange.wiring.step import Step
from exchange.wiring.witnesskeys import has_witness
from exchange.wiring.witnesssteps import witness_step

READY_S: Final = 60.0
_POLL_S: Final = 0.1

Tell = Callable[[Text], None]
"""Told what happens now."""


def command(home: Home, *words: str) -> list[str]:
    """The command line of a background process of this home."""
    return [sys.executable, "-m", "exchange.cli", "--home", str(home.path), *words]


def hub_process(home: Home) -> Background:
    """The hub of this home."""
    return Background("hub", home.pid_file("hub"), home.console_file("hub"))


def witness_process(home: Home) -> Background:
    """The witness of this home, if it has one."""
    return Background("witness", home.pid_file("witness"), home.console_file("witness"))


def adapter_configurations(home: Home) -> list[Path]:
    """``members/*/adapters/*.toml``: what runs under `exchange up`."""
    return sorted(home.path.glob("members/*/adapters/*.toml"))


def adapter_process(home: Home, configuration: Path) -> Background:
    """The process of one configured adapter."""
    name = f"adapter-{configuration.parent.parent.name}-{configuration.stem}"
    return Background(name, home.pid_file(name), home.console_file(name))


def start(
    home: Home, settings: Settings, passphrase: Passphrase, *, tell: Tell, fetching: Progress
) -> None:
    """Start whatever is not running, in order, and return when the hub is ready.

    Where the hub is somebody else's it is asked once, after the adapters: they wait for it.
    A hub that a supervisor runs is left to it. Raises `WrongPassphrase`, `ToolMissing`, `PortBusy`,
    `BusUnavailable` or `HubUnavailable`, naming the step.
    """
    wanted = home.table.hub.local and hub_process(home).pid() is None
    supervised = False
    if wanted:
        check_passphrase(home, passphrase)
        if supervised := runs_already(home):
            tell(Text("the hub runs, not started by 'exchange up'", "枢纽已在运行（非 up 启动）"))
    secret = passphrase.reveal().encode() + b"\n"
    if has_witness(home) and witness_process(home).pid() is None:
        tell(Text("starting the witness", "正在启动见证人"))
        words = command(home, "witness", "run", "--passphrase-stdin")
        witness_process(home).start(words, stdin=secret)
    starting = _start_kafka(home, settings, tell, fetching)
    if wanted and not supervised:
        # Beside Kafka, which it waits for: both take seconds to come up.
        tell(Text("starting the hub", "正在启动枢纽"))
        before = bootstrap_of(home, settings)
        _start_hub(home, secret)
        starting.result()
        if bootstrap_of(home, settings) != before:  # a port was taken: Kafka chose another
            hub_process(home).stop()
            _start_hub(home, secret)
    starting.result()
    if home.table.hub.local:
        asyncio.run(wait_ready(home, settings, ours=not supervised))
    _start_adapters(home, secret, tell)
    if not home.table.hub.local:
        asyncio.run(_ask_remote(home, settings))


def _start_adapters(home: Home, secret: bytes, tell: Tell) -> None:
    for configuration in adapter_configurations(home):
        process = adapter_process(home, configuration)
        if process.pid() is None:
            tell(Text(f"starting {process.name}", f"正在启动 {process.name}"))
            words = ("adapter", "run", str(configuration), "--passphrase-stdin")
            process.start(command(home, *words), stdin=secret)


def _start_kafka(
    home: Home, settings: Settings, tell: Tell, fetching: Progress
) -> "Future[object]":
    """Start the embedded node; returns when its address is known. The future: when it answers."""
    starting: Future[object] = Future()
    node = embedded(home, fetching)
    if not is_embedded(home, settings) or node.running() is not None:
        starting.set_result(None)
        return starting
    tell(Text("starting Kafka", "正在启动 Kafka"))

    def run() -> None:
        try:
            starting.set_result(node.start())
        except (ExchangeError, OSError) as error:
            starting.set_exception(error)

    Thread(target=run, name="kafka", daemon=True).start()
    while node.running() is None and not starting.done():
        time.sleep(_POLL_S)
    if starting.done():
        starting.result()
    return starting


def _start_hub(home: Home, secret: bytes) -> None:
    words = command(home, "hub", "run", "--passphrase-stdin")
    hub_process(home).start(words, stdin=secret)


def stop(home: Home, *, tell: Tell) -> list[str]:
    """Stop everything of this home, adapters first, Kafka last; the names of what ran."""
    stopped = []
    processes = [adapter_process(home, file) for file in adapter_configurations(home)]
    for process in [*processes, hub_process(home), witness_process(home)]:
        if process.stop():
            tell(Text(f"stopped {process.name}", f"已停止 {process.name}"))
            stopped.append(process.name)
    if home.table.hub.local and hub_elsewhere(home):
        tell(
            Text(
                "the hub goes on: 'exchange up' did not start it; stop it where it was started",
                "枢纽仍在运行：并非由 exchange up 启动，请在其启动处停止",
            )
        )
    if embedded(home).stop():
        tell(Text("stopped Kafka", "已停止 Kafka"))
        stopped.append("kafka")
    return stopped


async def wait_ready(home: Home, settings: Settings, *, ours: bool = True) -> None:
    """Return when the hub says that it is ready; raise what it lacks after `READY_S`.

    A hub of ``ours`` has a pid file and is not waited for once it has ended.
    """
    until = time.monotonic() + READY_S
    hub = hub_process(home)
    while True:
        step = (await _hub_ready(home, settings))[1]
        if step.good:
            return
        ended = ours and hub.pid() is None
        if ended or time.monotonic() > until:
            said = hub.last_words()[:300]
            log = home.log_file("hub")
            raise HubUnavailable(
                f"the hub did not become ready: {step.found.en}",
                f"枢纽未就绪：{step.found.zh}",
                remedy=(
                    f"read {log}" + (f"; it said: {said}" if said else ""),
                    f"请查看 {log}" + (f"；其输出：{said}" if said else ""),
                ),
                failure="hub-ended" if ended else "not-ready",
            )
        await asyncio.sleep(_POLL_S)


async def _ask_remote(home: Home, settings: Settings) -> None:
    for step in (await _kafka_answers(home, settings), (await _hub_ready(home, settings))[1]):
        if not step.good:
            raise HubUnavailable(
                f"the adapters run and wait: {step.found.en}",
                f"适配器已启动，正在等待：{step.found.zh}",
                remedy=(step.remedy.en, step.remedy.zh),
                failure="not-ready",
            )


async def look(home: Home, settings: Settings) -> list[Step]:
    """Every step in order; a step after a missing one is looked at all the same."""
    steps = [*no_room(home.path), await _kafka_answers(home, settings)]
    answers, ready, *published = await _hub_ready(home, settings)
    local = home.table.hub.local
    steps.extend(hub_steps(home, hub_process(home), ready, answers) if local else [ready])
    steps.extend(published)
    if has_witness(home):
        steps.append(await witness_step(home, witness_process(home)))
    if home.joined is not None and steps[0].good:
        steps.extend(await ledger_steps(home, settings, home.joined))
    for configuration in adapter_configurations(home):
        process = adapter_process(home, configuration)
        title = Text(f"adapter {process.name}", f"适配器 {process.name}")
        steps.append(process_step(process.name, title, process))
    return steps


async def _kafka_answers(home: Home, settings: Settings) -> Step:
    title = Text("Kafka", "Kafka")
    try:
        bus = KafkaBus(bootstrap_of(home, settings), client_id="exchange-status")
        try:
            await bus.ready()
        finally:
            await bus.close()
    except BusUnavailable as error:
        return Step("kafka", title, good=False, found=error.text, remedy=error.remedy)
    where = bootstrap_of(home, settings)
    return Step("kafka", title, good=True, found=Text(f"answers at {where}", f"{where} 正常"))


async def _hub_ready(home: Home, settings: Settings) -> tuple[bool, Step, *tuple[Step, ...]]:
    """Whether the hub answers; the step; and its published log if it says how far that is."""
    title = Text("hub", "枢纽")
    address = settings.hub or home.hub_address
    try:
        problem, log = await readiness(home, address)
    except ExchangeError as error:
        return False, Step("hub", title, good=False, found=error.text, remedy=error.remedy)
    published = [] if log is None else [_log_step(log)]
    if problem is not None:
        found, remedy = _text(problem.message), _text(problem.remedy)
        return True, Step("hub", title, good=False, found=found, remedy=remedy), *published
    ready = Text(f"ready at {address}", f"{address} 就绪")
    return True, Step("hub", title, good=True, found=ready), *published


def _log_step(log: LogState) -> Step:
    """The newest checkpoint: how large, how old, what is not under it, who has not signed it."""
    seconds, missing = log.age_ms // 1000, log.cosignatures_missing
    en = f"checkpoint of {log.entries} entries, published {seconds} s ago"
    zh = f"检查点含 {log.entries} 条，{seconds} 秒前发布"
    if log.unsealed:
        en, zh = (
            f"{en}; {log.unsealed} entries not under it yet",
            f"{zh}；{log.unsealed} 条尚未纳入",
        )
    if missing:
        en, zh = (
            f"{en}; {missing} witnesses have not cosigned it",
            f"{zh}；{missing} 个见证人未签署",
        )
    return Step(
        "log",
        Text("published log", "公开日志"),
        good=not missing,
        found=Text(en, zh),
        remedy=Text("see whether the witnesses of [witness] policy run", "请检查策略中的见证人")
        if missing
        else EMPTY,
    )


def _text(said: Sentences) -> Text:
    return Text(said.en, said.zh)


def missing(steps: Sequence[Step]) -> Step | None:
    """The first step that is not good."""
    return next((step for step in steps if not step.good), None)
