"""What sources and sinks raise on purpose.

::

    AdapterError
    ├── SourceUnreadable    input-unreadable     2   the input is not what it claims to be
    ├── SinkMismatch        sink-mismatch        2   the store holds something else under that name
    ├── RecordUnstorable    record-unstorable    1   the store refuses a value
    ├── PositionConflict    position-conflict    1   somebody else has moved the stream on
    ├── SinkUnavailable     sink-unavailable     3   the store does not answer; nothing was lost
    └── DiskFull            disk-full            3   no room; nothing was lost

``text`` and ``remedy`` are (English, Chinese). No message ever holds a value of a record, so errors
of drivers, which quote rows, are never chained.
"""

from typing import ClassVar


class AdapterError(Exception):
    """The root: a sentence, a remedy, a stable category, an exit code."""

    category: ClassVar[str] = "adapter"
    retriable: ClassVar[bool] = False
    exit_code: ClassVar[int] = 1

    def __init__(
        self, en: str, zh: str, *, remedy: tuple[str, str] = ("", ""), failure: str = ""
    ) -> None:
        super().__init__(en)
        self.text = (en, zh)
        self.remedy = remedy
        self.failure = failure or self.category


class SourceUnreadable(AdapterError):
    """The input is not what it claims to be; the message names the line, where reading stopped."""

    category = "input-unreadable"
    exit_code = 2


class SinkMismatch(AdapterError):
    """The store holds something else under the name of the dataset."""

    category = "sink-mismatch"
    exit_code = 2


class RecordUnstorable(AdapterError):
    """The store refuses a value; the whole commit was undone."""

    category = "record-unstorable"


class PositionConflict(AdapterError):
    """The stored position is not the one that a delivery continues: read positions again."""

    category = "position-conflict"


class SinkUnavailable(AdapterError):
    """The store does not answer. Whether the last commit took place only its positions can say."""

    category = "sink-unavailable"
    retriable = True
    exit_code = 3


class DiskFull(AdapterError):
    """No room on the disk; what was being written is undone."""

    category = "disk-full"
    retriable = True
    exit_code = 3


def position_conflict(stream: str, sequence: int, previous: int) -> PositionConflict:
    """``stream`` is hex."""
    return PositionConflict(
        f"stream {stream[:16]}…: sequence {sequence} does not continue the stored position"
        f" (expected {previous})",
        f"流 {stream[:16]}…：序号 {sequence} 与已存位置不衔接（应为 {previous}）",
        remedy=(
            "another process delivers into this sink, or it was restored; run only one",
            "另有进程正在写入该目标，或目标曾被还原；请只运行一个",
        ),
    )
