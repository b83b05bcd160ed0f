"""The two doors of a witness, over HTTP as c2sp.org/tlog-witness says.

Nobody is authenticated beyond the log's signature on the checkpoint, and nothing that is sent or
answered is secret; so plain HTTP will do, and TLS, where it is wanted, is a proxy's.
"""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import structlog
from fastapi import FastAPI, Request, Response

from exchange.errors import InputUnreadable, NoteRefused
from exchange.ledger.cosignature import HeadSigner, LogKeys, sign_head, verified_time
from exchange.ledger.note import Note
from exchange.ledger.witnessing import (
    OK,
    REQUEST_BYTES_MAX,
    Answer,
    Submission,
    check_known,
    decide,
    parse_submission,
)
from exchange.witness.memory import WitnessMemory

BODY_SECONDS_MAX: Final = 20.0
_NAME: Final = re.compile(r"[0-9a-f]{64}")
_SICK: Final = Answer(503, "the witness cannot keep what it would sign; try again\n")
_MALFORMED: Final = Answer(400, "not a request of tlog-witness\n")
_TOO_LARGE: Final = Answer(413, f"more than {REQUEST_BYTES_MAX} bytes\n")
_TOO_SLOW: Final = Answer(408, "the body did not arrive in time\n")
_NONE: Final = Answer(404, "no checkpoint of this log was cosigned here\n")

_LOG = structlog.get_logger(__name__)


class Witness:
    """Cosigns for the logs in ``logs`` (by origin) with ``signers``."""

    def __init__(
        self,
        logs: Mapping[str, LogKeys],
        signers: Sequence[HeadSigner],
        memory: WitnessMemory,
        *,
        now_s: Callable[[], int],
    ) -> None:
        self._logs = logs
        self._signers = signers
        self._memory = memory
        self._now_s = now_s

    def add_checkpoint(self, raw: bytes) -> Answer:
        """The answer to one submission. Blocks on the disk: call it in a thread.

        The order is the promise: decided on what is kept, under the lock; kept, durably; told.
        """
        try:
            asked = parse_submission(raw)
        except NoteRefused:
            return _MALFORMED
        refusal = check_known(asked, self._logs)
        if refusal is not None:
            return refusal
        try:
            with self._memory.locked(asked.head.origin):
                answer = decide(asked, self._memory.last(asked.head.origin))
                return self._cosigned(asked) if answer.status == OK else answer
        except (OSError, InputUnreadable) as error:
            _LOG.error("witness cannot keep its state", failure=type(error).__name__.lower())
            return _SICK

    def checkpoint(self, name: str) -> bytes | None:
        """The newest checkpoint of a log, cosigned; None if there is none."""
        return self._memory.checkpoint(name) if _NAME.fullmatch(name) else None

    def _cosigned(self, asked: Submission) -> Answer:
        lines = sign_head(asked.head, self._signers, now_s=self._now_s())
        log = self._logs[asked.head.origin]
        verified = {
            (key.name, key.id)
            for key in log.vkeys
            if verified_time(key, asked.note, asked.head) is not None
        }
        of_log = tuple(line for line in asked.note.lines if (line.name, line.id) in verified)
        kept = Note(asked.note.text, (*of_log, *lines)).render()
        self._memory.keep(asked.head.origin, kept)
        return Answer(OK, "".join(line.text() for line in lines))


def witness_app(witness: Witness) -> FastAPI:
    """The doors of ``witness``."""
    app = FastAPI(title="Exchange witness", version="1", docs_url=None, redoc_url=None)

    @app.post("/add-checkpoint", summary="Cosign a checkpoint (c2sp.org/tlog-witness)")
    async def add_checkpoint(request: Request) -> Response:
        try:
            async with asyncio.timeout(BODY_SECONDS_MAX):
                body = await _bounded(request)
        except TimeoutError:
            return _response(_TOO_SLOW)
        if body is None:
            return _response(_TOO_LARGE)
        answer = await asyncio.to_thread(witness.add_checkpoint, body)
        _LOG.info("answered", route="/add-checkpoint", status=answer.status)
        return _response(answer)

    @app.get("/{name}/checkpoint", summary="The newest checkpoint cosigned here")
    async def checkpoint(name: str) -> Response:
        raw = await asyncio.to_thread(witness.checkpoint, name)
        if raw is None:
            return _response(_NONE)
        return Response(raw, headers={"Content-Type": "text/plain; charset=utf-8"})

    return app


async def _bounded(request: Request) -> bytes | None:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > REQUEST_BYTES_MAX:
            return None
    return bytes(body)


def _response(answer: Answer) -> Response:
    headers = {"Content-Type": answer.content_type, "Cache-Control": "no-store"}
    return Response(answer.body.encode(), answer.status, headers)
