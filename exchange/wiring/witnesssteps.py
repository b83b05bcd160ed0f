"""What `exchange status` says of the witness of a home, whoever started it."""

import hashlib
from dataclasses import replace
from typing import Final

import httpx

from exchange.model.text import EMPTY, Text
from exchange.wiring.home import Home
from exchange.wiring.hubstart import taken
from exchange.wiring.localsteps import process_step
from exchange.wiring.processes import Background
from exchange.wiring.step import Step
from exchange.wiring.witnesskeys import folder_of, settings_of, url_of

SECONDS_MAX: Final = 3.0
_NAME: Final = "witness-process"
_TITLE: Final = Text("witness process", "见证人进程")


async def witness_step(home: Home, process: Background) -> Step:
    """Whether the witness runs; one that a person or a supervisor started is no worse."""
    step = process_step(_NAME, _TITLE, process)
    if step.good:
        return step
    settings = settings_of(folder_of(home))
    address = url_of(settings)
    if await _cosigns(address, home.table.log.origin):
        found = Text(
            f"answers at {address}, not started by 'exchange up'",
            f"{address} 正常，并非由 exchange up 启动",
        )
        return replace(step, good=True, found=found, remedy=EMPTY)
    if not taken(settings.host, settings.port):
        return step
    return replace(
        step,
        found=Text(
            f"not running, and another program has its port {settings.port}",
            f"未运行，且端口 {settings.port} 已被其他程序占用",
        ),
        remedy=Text(
            f"end that program (`ss -ltnp 'sport = :{settings.port}'` names it), or change port in"
            " witness.toml; then: exchange up",
            f"请结束该程序（可用 `ss -ltnp 'sport = :{settings.port}'` 查看），或修改"
            " witness.toml 中的 port，再执行：exchange up",
        ),
    )


async def _cosigns(address: str, origin: str) -> bool:
    """Whether what listens there speaks as a witness does: it has a checkpoint, or says why not."""
    name = hashlib.sha256(origin.encode()).hexdigest()
    try:
        async with httpx.AsyncClient(timeout=SECONDS_MAX, trust_env=False) as client:
            answer = await client.get(f"{address}/{name}/checkpoint")
            door = await client.get(f"{address}/add-checkpoint")
    except (httpx.HTTPError, httpx.InvalidURL):
        return False
    known = {httpx.codes.OK, httpx.codes.NOT_FOUND}
    return answer.status_code in known and door.status_code == httpx.codes.METHOD_NOT_ALLOWED
