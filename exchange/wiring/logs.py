"""What processes write down while they run: JSON lines in a file, short lines on a terminal.

A log line is for operators; it is no evidence (the ledger is) and never holds a record's value.
Three rules keep that true whatever the code that logs does:

1. Only keys on `KEYS` pass, and only plain scalars as their values; what was dropped is named in
   ``dropped`` so that its author notices.
2. An exception is its class, its category and where it was raised, never its message: database
   drivers and parsers quote the data they choke on.
3. A library's free text passes only from the few libraries whose messages are about connections.

::

    log = structlog.get_logger("exchange.flow.publish")
    log.info("bundle sealed", stream="ab12…", sequence=7, records=20_000)
"""

import logging
import os
import sys
import traceback
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from exchange.model.text import printable
from exchange.wiring.settings import LogLevel

_NAMES: Final = (
    "event level timestamp logger dropped raised",
    "process pid hub member instance origin",
    "dataset contract grant stream sequence epoch region act entry index leaf root checkpoint",
    "topic partition offset host port route method status request",
    "outcome reason failure category rule rules verdict state step",
    "records rejected bundles bytes count attempt behind seconds wait_ms skew_ms",
    "file line field version exit_code",
)
KEYS: Final = frozenset(key for line in _NAMES for key in line.split())
"""Every key that a line may have. Add one only if no record value can ever stand under it."""

FILE_BYTES_MAX: Final = 16 << 20
FILES_KEPT: Final = 4
REPEAT_S: Final = 10.0
_SAID_MAX: Final = 1_000
_TEXT_CHARACTERS_MAX: Final = 200
_ITEMS_MAX: Final = 32
_FRAMES_MAX: Final = 8
_ABOUT_CONNECTIONS: Final = frozenset({"aiokafka", "uvicorn"})


def configure(*, level: LogLevel, file: Path | None = None, terminal: TextIO | None = None) -> None:
    """Send every log line of this process to ``file`` (JSON), ``terminal`` (short), or nowhere.

    Replaces what an earlier call set. The file is created with mode 0600 and rotated at 16 MiB,
    five in all; a full disk loses log lines, never the work that wrote them.
    """
    handlers: list[logging.Handler] = []
    if file is not None:
        handlers.append(_to_file(file))
    if terminal is not None:
        handlers.append(_to_terminal(terminal))
    root = logging.getLogger()
    for old in [handler for handler in root.handlers if _is_ours(handler)]:
        root.removeHandler(old)
        old.close()
    for new in handlers:
        new.addFilter(_NotAgain())
        root.addHandler(new)
    root.setLevel(level.upper())
    logging.raiseExceptions = False
    # At DEBUG these print message values and bodies.
    for chatty in ("aiokafka", "httpx", "httpcore", "asyncio", "h11"):
        logging.getLogger(chatty).setLevel(logging.INFO)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def allow_listed(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Keep the keys of `KEYS` with plain values; name the others in ``dropped``."""
    kept = {key: _plain(value) for key, value in event.items() if key in KEYS}
    internal = {key: value for key, value in event.items() if key in {"_record", "_from_structlog"}}
    dropped = sorted(str(key)[:40] for key in event.keys() - kept.keys() - internal.keys())
    return kept | internal | ({"dropped": dropped[:_ITEMS_MAX]} if dropped else {})


def exception_place(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Put class, category and place of an exception where its message and traceback would be."""
    info = event.pop("exc_info", None)
    event.pop("stack_info", None)
    error = info[1] if isinstance(info, tuple) else info
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        event["raised"] = _describe(error)
        for name in ("category", "failure"):
            if isinstance(value := getattr(error, name, None), str):
                event.setdefault(name, value)
    return event


def library_text(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Withhold the free text of libraries, except of those that speak about connections."""
    library = str(event.get("logger", "")).split(".")[0]
    if library not in _ABOUT_CONNECTIONS:
        event["event"] = "a library logged something; its text is withheld"
    return event


class _NotAgain(logging.Filter):
    """Lets a library say the same thing once in `REPEAT_S`.

    While Kafka is gone its client says so a dozen times a second, which would push everything else
    out of the files that are kept.
    """

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, int, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to write ``record`` down; our own lines always are."""
        if record.name.split(".")[0] not in _ABOUT_CONNECTIONS:
            return True
        what = (record.name, record.levelno, record.getMessage())
        if 0 <= record.created - self._said.get(what, -REPEAT_S) < REPEAT_S:
            return False
        if len(self._said) >= _SAID_MAX:
            self._said.clear()
        self._said[what] = record.created
        return True


def _describe(error: BaseException) -> list[str]:
    """Classes from the error back to its causes, then where it was raised, innermost last."""
    chain: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(chain) < _FRAMES_MAX:
        chain.append(f"{type(cause).__module__}.{type(cause).__qualname__}")
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES_MAX:]
    return chain + [f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in frames]


def _plain(value: object) -> object:
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return printable(value[:_TEXT_CHARACTERS_MAX])
        case bytes() if len(value) <= 32 and type(value) is bytes:
            return value.hex()
        case list() | tuple() | set() | frozenset():
            return [_plain(item) for item in list(value)[:_ITEMS_MAX]]
        case Path():
            return printable(str(value)[:_TEXT_CHARACTERS_MAX])
        case _:
            return f"<{type(value).__name__}>"


def _is_ours(handler: logging.Handler) -> bool:
    return isinstance(handler.formatter, structlog.stdlib.ProcessorFormatter)


class _PrivateFile(RotatingFileHandler):
    """A rotating file that only this user can read, each new one too."""

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(
            self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600
        )
        return os.fdopen(descriptor, "a", encoding=self.encoding)


def _to_file(file: Path) -> logging.Handler:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handler = _PrivateFile(
        file, maxBytes=FILE_BYTES_MAX, backupCount=FILES_KEPT, encoding="utf-8", delay=False
    )
    handler.setFormatter(_formatter(structlog.processors.JSONRenderer(ensure_ascii=False)))
    return handler


def _to_terminal(terminal: TextIO) -> logging.Handler:
    handler = logging.StreamHandler(terminal)
    handler.setFormatter(
        _formatter(structlog.dev.ConsoleRenderer(colors=terminal.isatty(), pad_event_to=0))
    )
    return handler


def _formatter(renderer: Processor) -> structlog.stdlib.ProcessorFormatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name, library_text, *_SHARED],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )


_SHARED: Final[tuple[Processor, ...]] = (
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    exception_place,
    allow_listed,
)
