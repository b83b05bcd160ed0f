"""Every error the Exchange raises on purpose.

::

    ExchangeError                 category             exit
    ├── Refused                   …                       1   a rule, a signature or a check said no
    │   ├── RuleRefused           rule-refused
    │   ├── ActRefused            act-refused
    │   ├── BundleRefused         bundle-refused
    │   ├── EntryRefused          entry-refused
    │   ├── ReleaseRefused        release-refused
    │   ├── NotAuthenticated      not-authenticated
    │   ├── CheckFailed           check-failed
    │   ├── NoteRefused           note-refused
    │   └── LedgerBroken          ledger-broken
    ├── UsageError                …                       2   the caller must change something first
    │   ├── ConfigurationInvalid  configuration-invalid
    │   ├── ContractInvalid       contract-invalid
    │   ├── NotFound              not-found
    │   └── InputUnreadable       input-unreadable
    └── Unavailable               …                       3   try again; nothing was lost
        ├── BusUnavailable        bus-unavailable
        ├── TopicMisconfigured    topic-misconfigured
        ├── OffsetGone            offset-gone
        ├── HubUnavailable        hub-unavailable
        ├── ClockOff              clock-off
        ├── RateLimited           rate-limited
        ├── DiskFull              disk-full
        ├── ViewUnavailable       view-unavailable
        ├── PortBusy              port-busy
        ├── InUse                 in-use
        └── ToolMissing           tool-missing

``category`` is stable and meant for programs; ``text`` and ``remedy`` are meant for people. The
leaves (``keys``, ``policies``, ``adapters``) have trees of their own with the same attributes.
"""

from typing import ClassVar

from exchange.model.text import EMPTY, Text


class ExchangeError(Exception):
    """The root: a sentence, a remedy, a stable category, an exit code.

    ``failure`` names the class of what went wrong inside the category (for instance
    ``chain-broken`` inside ``bundle-refused``); vectors and tests assert it.
    """

    category: ClassVar[str] = "exchange"
    retriable: ClassVar[bool] = False
    exit_code: ClassVar[int] = 1

    def __init__(
        self, en: str, zh: str, *, remedy: tuple[str, str] = ("", ""), failure: str = ""
    ) -> None:
        super().__init__(en)
        self.text = Text(en, zh)
        self.remedy = Text(*remedy) if any(remedy) else EMPTY
        self.failure = failure or self.category


class Refused(ExchangeError):
    """A rule, a signature or a check said no. Trying again changes nothing."""

    category = "refused"


class RuleRefused(Refused):
    """The rules forbid it; ``rules`` names them, most important first."""

    category = "rule-refused"

    def __init__(
        self,
        en: str,
        zh: str,
        *,
        rules: tuple[str, ...],
        remedy: tuple[str, str] = ("", ""),
        failure: str = "",
    ) -> None:
        super().__init__(en, zh, remedy=remedy, failure=failure)
        self.rules = rules


class ActRefused(Refused):
    """An act is malformed, not authentic, out of its time, or was seen before."""

    category = "act-refused"


class BundleRefused(Refused):
    """A bundle or a header failed a step of verification."""

    category = "bundle-refused"


class EntryRefused(Refused):
    """Bytes on the ledger topic are no valid entry."""

    category = "entry-refused"


class ReleaseRefused(Refused):
    """A key request cannot be answered, or an answer failed verification."""

    category = "release-refused"


class NotAuthenticated(Refused):
    """A request to a hub that does not prove who it is from; ``failure`` names the step."""

    category = "not-authenticated"


class CheckFailed(Refused):
    """A check that a person asked for found something."""

    category = "check-failed"


class NoteRefused(Refused):
    """A checkpoint, proof or policy of the log is malformed, or not signed as it must be."""

    category = "note-refused"


class LedgerBroken(Refused):
    """The ledger's history is not the one this process pinned or has already read. Stop."""

    category = "ledger-broken"


class UsageError(ExchangeError):
    """The caller must change something first."""

    category = "usage"
    exit_code = 2


class ConfigurationInvalid(UsageError):
    """A configuration file or setting is wrong; the message names the key."""

    category = "configuration-invalid"


class ContractInvalid(UsageError):
    """A contract file is wrong; the message names the place."""

    category = "contract-invalid"


class NotFound(UsageError):
    """No such member, dataset, grant or stream."""

    category = "not-found"


class InputUnreadable(UsageError):
    """An input file cannot be read as what it claims to be."""

    category = "input-unreadable"


class Unavailable(ExchangeError):
    """Something outside is not there now. Nothing was lost; try again."""

    category = "unavailable"
    retriable = True
    exit_code = 3


class BusUnavailable(Unavailable):
    """Kafka does not answer."""

    category = "bus-unavailable"


class TopicMisconfigured(Unavailable):
    """A topic exists with a configuration that would break a promise."""

    category = "topic-misconfigured"
    retriable = False


class OffsetGone(Unavailable):
    """The wanted offset lies before the first one the broker still keeps."""

    category = "offset-gone"
    retriable = False


class HubUnavailable(Unavailable):
    """The hub does not answer, or says it is not ready."""

    category = "hub-unavailable"


class ClockOff(Unavailable):
    """A clock is too far from the ledger's or the broker's time."""

    category = "clock-off"


class RateLimited(Unavailable):
    """A member is over its share of a hub; others are not affected."""

    category = "rate-limited"


class DiskFull(Unavailable):
    """No room to keep what must be durable before it is sent."""

    category = "disk-full"


class ViewUnavailable(Unavailable):
    """The database of a search view does not answer."""

    category = "view-unavailable"


class PortBusy(Unavailable):
    """A port is taken."""

    category = "port-busy"


class InUse(Unavailable):
    """Another process holds a file that only one may use."""

    category = "in-use"


class ToolMissing(Unavailable):
    """A program that set-up needs is not installed."""

    category = "tool-missing"
    retriable = False
