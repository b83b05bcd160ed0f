"""Seeded simulations of hubs on one ledger (attacks 11 to 17). A failure is a seed and a commit."""

import pytest

from tests.simulation.hubs import Simulation
from tests.simulation.virtualtime import simulate

SEEDS = 24
EVENTS = 60


@pytest.mark.parametrize("seed", range(SEEDS))
def test_hubs_agree_whatever_happens(seed: int) -> None:
    simulate(Simulation(seed).play(EVENTS))


def test_a_run_is_repeated_by_its_seed() -> None:
    prints = []
    for _ in range(2):
        run = Simulation(99)
        simulate(run.play(30))
        prints.append((run.reference.hub.fingerprint(), len(run.released)))
    assert prints[0] == prints[1]


def test_the_simulation_does_what_it_claims() -> None:
    """Releases, races, voids and decisions anew all occur; a quiet run would prove nothing."""
    runs = [Simulation(seed) for seed in range(3)]
    for run in runs:
        simulate(run.play(EVENTS))
    folded = [leaf for run in runs for leaf in run.reference.folded]
    assert sum(len(run.released) for run in runs) > 20
    assert any(leaf.fresh and not leaf.carried for leaf in folded)
    assert {"seen-before"} <= {leaf.reason for leaf in folded}
    assert any(run.reference.hub.junk for run in runs)
    assert sum(len(run.heads.roots) for run in runs) > 5
    assert any(run.heads.deaths for run in runs)
    assert any(run.reference.hub.registry.grants_by_consumer for run in runs)
