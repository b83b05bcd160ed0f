"""Rules of the bus itself: what the registry and the hub refuse before the rule engine is asked.

Each id is a row of policies/rules.yaml with source "bus". Ids are for ever.
"""

from typing import Final

STATE: Final = "STATE-01"
"""What the act names does not exist, or does not stand as the act assumes."""
PROOF: Final = "PROOF-01"
"""A key is not one that may be enrolled, was enrolled before, or its possession is not shown."""
CONTRACT: Final = "CONTRACT-01"
"""A contract is malformed or for another dataset, or something asked for is not in it."""
STREAM: Final = "STREAM-01"
"""A stream is opened in the wrong place, moved backwards, or read beyond its frontier."""
FORK: Final = "STREAM-02"
"""A provider has stated two heads for one sequence of a stream, or keys are asked for beyond it."""
HEADER: Final = "HEADER-01"
"""The signed header does not verify, or is not what the item of a key request says."""
PROVIDER: Final = "PROVIDER-01"
"""The wrapped secret does not open, or not to what the provider committed to."""
CUSTODY: Final = "CUSTODY-01"
"""The dataset's private key is not in the hub's custody (any more)."""

RULES: Final = "RULES-01"
"""A rule set is not what its hash says, or fails its checks, or would let nobody adopt another."""

EVIDENCE: Final = frozenset({HEADER, PROVIDER, CUSTODY})
"""Refusals that only the hub that held the evidence can make; a fold lets them stand."""
ALL: Final = frozenset({STATE, PROOF, CONTRACT, STREAM, FORK, RULES}) | EVIDENCE
"""Every rule id that this side of the engine may give."""
