"""Whether this hub can do its work now, and if not, which step is missing.

Steps are asked in order and the first that fails is the answer, because what comes later cannot be
judged. Asking is bounded in time and answered from memory for a second: anybody may ask.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from exchange.errors import ExchangeError
from exchange.model.text import EMPTY, Text
from keys.errors import KeysError

STEP_SECONDS_MAX: Final = 3.0
REMEMBERED_SECONDS: Final = 1.0
_ALL_HOLD: Final = Text("the hub is ready", "枢纽已就绪")
_SILENT: Final = Text("no answer in time", "未及时响应")
_LOOK: Final = Text("look at its log, then at the network", "请查看其日志与网络")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that must hold; ``check`` returns, or raises what is wrong."""

    name: str
    title: Text
    check: Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Ready:
    """The answer: ``missing`` is the name of the first step that fails, "" when all hold."""

    held: tuple[str, ...]
    missing: str = ""
    message: Text = _ALL_HOLD
    remedy: Text = EMPTY

    @property
    def ready(self) -> bool:
        """Whether nothing is missing."""
        return not self.missing


class Readiness:
    """Asks ``steps`` in order. ``now_s`` is monotonic."""

    def __init__(self, steps: Sequence[Step], *, now_s: Callable[[], float]) -> None:
        self._steps = tuple(steps)
        self._now_s = now_s
        self._asking = asyncio.Lock()
        self._last: tuple[float, Ready] | None = None

    @property
    def steps(self) -> tuple[str, ...]:
        """Names, in order."""
        return tuple(step.name for step in self._steps)

    async def ask(self) -> Ready:
        """The state now, at most `REMEMBERED_SECONDS` old."""
        async with self._asking:
            if self._last is None or self._now_s() - self._last[0] > REMEMBERED_SECONDS:
                answer = await self._ask()
                self._last = (self._now_s(), answer)
            return self._last[1]

    async def _ask(self) -> Ready:
        held: list[str] = []
        for step in self._steps:
            try:
                async with asyncio.timeout(STEP_SECONDS_MAX):
                    await step.check()
            except (ExchangeError, KeysError) as error:
                message, remedy = Text(*error.text), Text(*error.remedy)
                return Ready(tuple(held), step.name, _named(step, message), remedy)
            except TimeoutError:
                return Ready(tuple(held), step.name, _named(step, _SILENT), _LOOK)
            held.append(step.name)
        return Ready(tuple(held))


def _named(step: Step, message: Text) -> Text:
    return Text(f"{step.title.en}: {message.en}", f"{step.title.zh}：{message.zh}")
