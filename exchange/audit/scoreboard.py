"""Who keeps its duties: counts by department, from the book that anybody folds. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from exchange.registry.duties import Standing, State
from exchange.registry.dutyrows import Duty


@dataclass(slots=True)
class Score:
    """How the duties of one member stand; a duty counts once, in the state it is in."""

    member: str
    counts: dict[State, int] = field(default_factory=dict)

    def __getitem__(self, state: State) -> int:
        return self.counts.get(state, 0)

    @property
    def in_time(self) -> float | None:
        """The share of what is decided that was done in time; None where nothing is decided."""
        decided = self["done"] + self["late"] + self["breached"] + self["escalated"]
        return self["done"] / decided if decided else None


def scoreboard(rows: Iterable[tuple[Duty, Standing]]) -> list[Score]:
    """One score a member that owes or owed anything, by name."""
    found: dict[str, Score] = {}
    for duty, how in rows:
        score = found.setdefault(duty.owner, Score(duty.owner))
        score.counts[how.state] = score[how.state] + 1
    return [found[member] for member in sorted(found)]
