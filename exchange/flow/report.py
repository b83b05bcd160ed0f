"""What a reader delivered, and what it did not and why: counted by class, never in silence."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Halt:
    """Why a stream is not read further: a failure class, and the rules if the rules said so."""

    failure: str
    sequence: int
    rules: tuple[str, ...] = ()
    entry: int | None = None


@dataclass(slots=True)
class Report:
    """What a run delivered, and everything it did not."""

    records: int = 0
    bundles: int = 0
    outside_period: int = 0
    duplicates: int = 0
    ignored: dict[str, int] = field(default_factory=dict)
    """Messages that are no bundle of a known stream, or failed verification, by failure class."""
    halted: dict[str, Halt] = field(default_factory=dict)
    """By stream, in hex."""
    missing: dict[str, int] = field(default_factory=dict)
    """Streams with a hole: the first sequence number that is missing."""
    gaps: dict[str, int] = field(default_factory=dict)
    """Bundles that a provider has declared lost on the ledger, by stream."""
    withheld: dict[str, int] = field(default_factory=dict)
    """Streams behind their newest anchor for too long: the sequence number anchored."""

    disputed: int = 0
    """Records of the dataset that an open objection names; they are marked in the sink."""
    stopped: bool = False
    """Whether it was told to stop before it had reached the end; what is left is nobody's fault."""

    @property
    def whole(self) -> bool:
        """Whether everything the grant covers, so far as the ledger tells, was delivered."""
        return not (self.halted or self.missing or self.withheld or self.stopped)

    def go_on(self, later: "Report") -> None:
        """Add what a later run of the same reader did; where streams stand, the later run says."""
        self.records += later.records
        self.bundles += later.bundles
        self.outside_period += later.outside_period
        self.duplicates += later.duplicates
        for failure, count in later.ignored.items():
            self.ignored[failure] = self.ignored.get(failure, 0) + count
        self.halted, self.missing = later.halted, later.missing
        self.gaps, self.withheld = later.gaps, later.withheld
        self.disputed, self.stopped = later.disputed, later.stopped
