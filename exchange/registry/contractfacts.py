"""What duties need of a contract beside its shape: its cycle, and which fields are personal."""

from functools import lru_cache

from exchange.model.contract import Contract


def cycle_of(encoded: bytes) -> str:
    """The update cycle of an encoded contract."""
    return _read(encoded)[0]


def personal_fields(encoded: bytes) -> frozenset[str]:
    """Fields of personal data, and the subject unless it is an organisation."""
    return _read(encoded)[1]


@lru_cache(maxsize=1_024)
def _read(encoded: bytes) -> tuple[str, frozenset[str]]:
    contract = Contract.decode(encoded)
    named = set(contract.personal)
    if contract.subject is not None and contract.field(contract.subject).type != "credit-code":
        named.add(contract.subject)
    return contract.cycle, frozenset(named)
