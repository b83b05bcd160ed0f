"""Every bound in one place, with its unit last in its name and the reason beside it."""

from typing import Final

# --- ledger (design 5) ---
LEAF_BYTES_MAX: Final = 65_535
"""A leaf fits a C2SP entry bundle, whose length prefix has 16 bits."""
ACT_BYTES_MAX: Final = 60_000
"""Leaves room for the hub's part of an entry around the act."""
CONTRACT_BYTES_MAX: Final = 48_000
"""A contract travels inside an act."""
RULES_ARCHIVE_BYTES_MAX: Final = 48_000
"""So does a rule set, compressed; the shipped one has about 20,000."""
RULES_BYTES_MAX: Final = 1 << 20
RULES_FILES_MAX: Final = 64
"""What it may unpack to."""
ACT_CBOR_ITEMS_MAX: Final = 16_384
"""Members of all its maps and arrays; 256 key items or 400 anchors have fewer than 7,000."""
ACT_LIFETIME_MS: Final = 5 * 60_000
"""How long a signed act may wait to be admitted, unless its signer says less."""
ACT_LIFETIME_MS_MAX: Final = 24 * 3_600_000
"""Bounds the memory of act ids already seen."""
CLOCK_SKEW_MS_MAX: Final = 30_000
"""An act may be issued this far in a hub's future; more means one clock is wrong."""
HUB_CLOCK_SKEW_MS_MAX: Final = 5_000
"""A hub further than this from the broker's clock, or behind ledger time, does not append."""
ASK_ITEMS_MAX: Final = 256
"""Epochs one act may ask for."""
ANSWER_BYTES_MAX: Final = 256 << 10
"""A hub's answer: section keys of `ASK_ITEMS_MAX` items in four levels, with room to spare."""
ACTS_PER_S: Final = 500.0
ACTS_BURST: Final = 1_000
"""One member's share of a hub's appends; a key request asks for up to 256 epochs in one act."""
ITEMS_PER_S: Final = 500.0
ITEMS_BURST: Final = 2_048
ITEMS_WAIT_MS_MAX: Final = 10_000
"""Items of key requests that a hub opens for one member: a fifth of one core, at some 0.4 ms each,
and four seconds of that at once. Who asks for more waits for it in turn; beyond ten seconds it is
told to come again. A share is a member's: what a hub can do is for many of them together."""
DENIALS_PER_S: Final = 5.0
DENIALS_BURST: Final = 100
"""Denials change nothing and cost a leaf for ever, so a member gets few a second."""
DENIALS_WINDOW_MS: Final = 60_000
DENIALS_KEPT: Final = 10_000
"""How long, and how many, denials a hub remembers to answer repetitions from memory."""

# --- bundles (decisions 1-3) ---
BUNDLE_RECORDS_MAX: Final = 20_000
BUNDLE_BYTES_MAX: Final = 4 << 20
"""Also ``max.message.bytes`` of data topics, with room for Kafka's own framing."""
SECTION_PLAIN_BYTES_MAX: Final = 16 << 20
"""Uncompressed bytes of a section; bounds a reader's memory whatever a bundle declares."""
BUNDLE_PLAIN_BYTES: Final = 8 << 20
"""A bundle closes when its columns reach about this size."""
RECORD_BYTES_MAX: Final = 1 << 20
"""One record; larger content belongs in a file reference."""
HEADER_BYTES_MAX: Final = 8_192
SECTIONS_MAX: Final = 4
PADDING_BYTES_MIN: Final = 4_096

# --- epochs (words) ---
EPOCH_MS_MAX: Final = 15 * 60_000
EPOCH_BUNDLES_MAX: Final = 1 << 20
EPOCH_BYTES_MAX: Final = 64 << 30

# --- readers ---
WITHHELD_MS: Final = 60_000
"""A reader behind the newest anchor for longer than this reports withholding."""

# --- the hub's doors (exchange/hub/SPEC.md) ---
ASK_BYTES_MAX: Final = ACT_BYTES_MAX + ASK_ITEMS_MAX * (HEADER_BYTES_MAX + 16) + 64
"""An act with the signed header of every item it asks for."""
TOKEN_BYTES_MAX: Final = 2_048
TOKEN_AGE_MS_MAX: Final = 60_000
"""A request token's time may differ this much from the hub's clock, either way."""
POSSESSION_BYTES_MAX: Final = 2_048
ENTRIES_COUNT_MAX: Final = 1_024
ENTRIES_BYTES_MAX: Final = 4 << 20
"""One page of raw entries ends at whichever comes first."""
BODY_SECONDS_MAX: Final = 20.0
"""A body that takes longer to arrive is refused: slow senders may not hold connections."""
REQUESTS_AT_ONCE_MAX: Final = 512
"""More than this in one hub are told to try again."""
MEMBER_REQUESTS_PER_S: Final = 200.0
MEMBER_REQUESTS_BURST: Final = 400
"""One member's share of a hub; a loop of trivial acts costs its own member only."""
ADDRESS_REFUSALS_PER_S: Final = 20.0
ADDRESS_REFUSALS_BURST: Final = 100
"""Unauthenticated requests one address may make before it must wait."""
SHUTDOWN_SECONDS_MAX: Final = 15
"""Appends under way at a stop get this long to be read back."""
