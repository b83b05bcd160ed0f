"""What a hub's folder holds, and how its keys are labelled in its custody file.

``HOME/hub/custody`` holds the entry key, both checkpoint keys, the CA of this ledger's hubs, the
passphrase of the TLS key, and the datasets' KEM keys; ``tls.pem`` and ``tls.key`` (encrypted) lie
beside it and are made when a hub starts.
"""

from typing import Final

from exchange.wiring.lawbook import shipped_rules

CUSTODY_FILE: Final = "custody"
ENTRY: Final = "hub/entry"
CHECKPOINT: Final = "hub/checkpoint"
CHECKPOINT_MLDSA: Final = "hub/checkpoint-mldsa"
CA: Final = "hub/ca"
TLS: Final = "hub/tls"
TLS_CERTIFICATE: Final = "tls.pem"
TLS_KEY: Final = "tls.key"
TLS_DAYS: Final = 398


def rule_set_hash() -> bytes:
    """The hash of the rules that this program ships, 32 bytes; genesis names it."""
    return shipped_rules().rule_set_hash
