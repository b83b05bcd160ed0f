"""What `exchange status` looks at on this machine itself: the disk, and processes by their pid."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Final

from exchange.model.text import EMPTY, Text
from exchange.wiring.home import Home
from exchange.wiring.hubstart import taken
from exchange.wiring.processes import Background
from exchange.wiring.step import Step

FREE_BYTES_MIN: Final = 64 << 20
"""Room for a few bundles, Kafka's index files (10 MiB a new segment) and some logs."""
_START: Final = Text("start it with: exchange up", "请执行：exchange up")


def no_room(home: Path) -> list[Step]:
    """The missing step when the disk under ``home`` is as good as full, otherwise nothing."""
    free = shutil.disk_usage(home).free
    if free >= FREE_BYTES_MIN:
        return []
    shown = f"{free / (1 << 20):.1f} MiB"
    return [
        Step(
            "disk",
            Text("disk", "磁盘"),
            good=False,
            found=Text(f"{shown} left under {home}", f"{home} 所在磁盘仅剩 {shown}"),
            remedy=Text(
                "free space, then: exchange up (Kafka stops on a full disk; what was acknowledged"
                " is kept)",
                "请清理磁盘，再执行：exchange up（磁盘写满时 Kafka 会停止；已确认的数据不会丢失）",
            ),
        )
    ]


def process_step(name: str, title: Text, process: Background) -> Step:
    """Whether a background process lives."""
    pid = process.pid()
    if pid is not None:
        return Step(name, title, good=True, found=Text(f"process {pid}", f"进程 {pid}"))
    return Step(name, title, good=False, found=Text("not running", "未运行"), remedy=_START)


def hub_steps(home: Home, hub: Background, ready: Step, answers: bool) -> list[Step]:
    """The hub's process, and ``ready``, what it answered; one that others started is no worse.

    ``answers``: whether a hub of this home answered at all, ready or not.
    """
    process = process_step("hub-process", Text("hub process", "枢纽进程"), hub)
    if process.good:
        return [process, ready]
    if answers:
        found = Text("runs, not started by 'exchange up'", "正在运行，并非由 exchange up 启动")
        return [replace(process, good=True, found=found, remedy=EMPTY), ready]
    port = home.table.hub.port
    if taken(home.table.hub.host, port):
        found = Text(
            f"not running, and another program has its port {port}",
            f"未运行，且端口 {port} 已被其他程序占用",
        )
        remedy = Text(
            f"end that program (`ss -ltnp 'sport = :{port}'` names it), then: exchange up",
            f"请结束该程序（可用 `ss -ltnp 'sport = :{port}'` 查看），再执行：exchange up",
        )
        process = replace(process, found=found, remedy=remedy)
    return [process, replace(ready, remedy=process.remedy)]
