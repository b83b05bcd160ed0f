"""Ask the witnesses of a policy to cosign heads, and know which head a quorum has; section 6.

`Witnesses` is the log's side of tlog-witness. It never waits long for anybody: a witness that is
silent is left out, asked again later, and counted as missing. Every line is verified before it is
used, so a hostile witness can withhold and nothing else.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import structlog

from exchange import metrics
from exchange.errors import HubUnavailable, NoteRefused, Unavailable
from exchange.ledger.checkpoint import Checkpoint
from exchange.ledger.cosignature import SignedHead
from exchange.ledger.merkle import Tree
from exchange.ledger.note import SignatureLine
from exchange.ledger.policy import Policy, WitnessKey
from exchange.ledger.witnessing import OK, read_answer, read_size, request_body

WAIT_S: Final = 0.4
"""For all of them together; with the sealer's pause a checkpoint is out within a second."""
AGAIN_S: Final = 2.0
COVER_S: Final = 10.0
TRIES: Final = 3
CONFLICT: Final = 409
UNPROCESSABLE: Final = 422

Post = Callable[[str, bytes], Awaitable[tuple[int, bytes]]]
"""Status and body of a POST to an address; raises `Unavailable`."""

_LOG = structlog.get_logger(__name__)


class Witnesses:
    """The witnesses that ``policy`` names with an address; the others sign elsewhere, if at all."""

    def __init__(
        self, policy: Policy, post: Post, *, wait_s: float = WAIT_S, cover_s: float = COVER_S
    ) -> None:
        self._policy = policy
        self._post = post
        self._wait_s, self._cover_s = wait_s, cover_s
        self._by_url: dict[str, list[WitnessKey]] = defaultdict(list)
        for witness in policy.witnesses.values():
            if witness.url:
                self._by_url[witness.url.rstrip("/") + "/add-checkpoint"].append(witness)
        self._sizes: dict[str, int] = {}
        """What each witness cosigned last, as far as we know."""
        self._not_before_s: dict[str, float] = {}
        self._head: Checkpoint | None = None
        self._lines: dict[str, SignatureLine] = {}
        self._cosigned = 0
        self._grown = asyncio.Event()

    @property
    def missing(self) -> int:
        """How many witnesses have not signed the head that was asked about last."""
        return len(self._policy.witnesses) - len(self._lines)

    @property
    def cosigned_size(self) -> int:
        """The entries under the newest head that a quorum has signed."""
        return self._cosigned

    async def collect(self, head: SignedHead, tree: Tree) -> Sequence[SignatureLine]:
        """All lines on ``head`` so far; waits a bounded time for those that are missing."""
        if head.checkpoint != self._head:
            self._head, self._lines = head.checkpoint, {}
        now_s = asyncio.get_running_loop().time()
        asked = [
            asyncio.create_task(self._ask(url, witnesses, head, tree))
            for url, witnesses in self._by_url.items()
            if now_s >= self._not_before_s.get(url, 0.0)
            and any(witness.name not in self._lines for witness in witnesses)
        ]
        if asked:
            _, late = await asyncio.wait(asked, timeout=self._wait_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*asked, return_exceptions=True)
        self._note()
        return tuple(self._lines.values())

    async def cover(self, index: int) -> None:
        """Return when entry ``index`` stands under a cosigned head; `HubUnavailable` in the end."""
        try:
            async with asyncio.timeout(self._cover_s):
                while self._cosigned <= index:
                    await self._grown.wait()
        except TimeoutError:
            raise HubUnavailable(
                f"entry {index} is on the ledger, and its witnesses have not cosigned it in time;"
                " no key was handed out",
                f"第 {index} 条已在账本上，但见证人未及时共同签署；未发放任何密钥",
                remedy=("ask again; look at the witnesses if it stays so", "请重试并检查见证人"),
                failure="not-cosigned",
            ) from None

    def _note(self) -> None:
        metrics.LOG_COSIGNATURES_MISSING.set(self.missing)
        if self._head is not None and self._policy.met(self._lines):
            self._cosigned = max(self._cosigned, self._head.size)
            self._grown.set()
            self._grown = asyncio.Event()

    async def _ask(
        self, url: str, witnesses: Sequence[WitnessKey], head: SignedHead, tree: Tree
    ) -> None:
        """Bring one witness to ``head`` and take its lines; a failure is counted, not raised."""
        try:
            failure = await self._submitted(url, witnesses, head, tree)
        except Unavailable:
            failure = "silent"
        except NoteRefused as error:
            failure = error.failure
        except asyncio.CancelledError:
            self._put_off(url, "late")
            raise
        if failure:
            self._put_off(url, failure)

    async def _submitted(
        self, url: str, witnesses: Sequence[WitnessKey], head: SignedHead, tree: Tree
    ) -> str:
        size = head.checkpoint.size
        for _ in range(TRIES):
            old = self._sizes.get(url, 0)
            if old > size:
                return "ahead"  # it follows another hub that is a moment further
            proof = tree.consistency(old, size) if old else ()
            status, body = await self._post(url, request_body(old, proof, head))
            if status == OK:
                self._sizes[url] = size
                return self._take(
                    read_answer(body, head, [one.key for one in witnesses]), witnesses
                )
            if status != CONFLICT:
                if status == UNPROCESSABLE:
                    _LOG.critical("witness found a fork", checkpoint=size, status=status)
                return f"status-{status}"
            self._sizes[url] = read_size(body)
        return "conflict"

    def _take(self, lines: Sequence[SignatureLine], witnesses: Sequence[WitnessKey]) -> str:
        for witness in witnesses:
            for line in lines:
                if (line.name, line.id) == (witness.key.name, witness.key.id):
                    self._lines[witness.name] = line
        missing = any(witness.name not in self._lines for witness in witnesses)
        return "unsigned" if missing else ""

    def _put_off(self, url: str, failure: str) -> None:
        metrics.LOG_WITNESS_ERRORS.labels(failure=failure).inc()
        _LOG.warning("witness did not cosign", failure=failure)
        if failure != "ahead":
            self._not_before_s[url] = asyncio.get_running_loop().time() + AGAIN_S
