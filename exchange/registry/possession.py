"""Proofs that whoever enrols a key holds its private half; exchange/ledger/SPEC.md section 13.

Without them a member could enrol another's public key as its own, and have the other's signatures
count as its acts.
"""

from collections.abc import Mapping
from typing import Final

from exchange.limits import POSSESSION_BYTES_MAX
from keys import cbor, cose
from keys.cose import Signer, Verified
from keys.errors import KeysError, SignatureInvalid

POSSESSION_DOMAIN: Final = "exchange/v1/possession"
CHALLENGE_BYTES: Final = 32


def prove_keys(
    *, origin: str, member: str, instance: str, signing: bytes, kem: bytes, signer: Signer
) -> bytes:
    """A member's proof over the keys it claims; an officer has ``instance=""`` and ``kem=b""``."""
    payload = cbor.encode([origin, member, instance, signing, kem])
    return cose.sign1(payload, POSSESSION_DOMAIN, signer)


def check_keys(
    proof: bytes, *, origin: str, member: str, instance: str, signing: bytes, kem: bytes
) -> Verified:
    """``proof``, if the holder of ``signing`` made it over just these keys; else `KeysError`."""
    verified = cose.verify1(
        cose.parse1(proof, bytes_max=POSSESSION_BYTES_MAX), POSSESSION_DOMAIN, signing
    )
    if verified.payload != cbor.encode([origin, member, instance, signing, kem]):
        raise _other_content()
    return verified


def check_dataset_key(
    proof: bytes, *, origin: str, dataset: str, kid: bytes, entry_keys: Mapping[bytes, bytes]
) -> Verified:
    """``proof``, if a hub opened a challenge to the dataset key ``kid``; else `KeysError`.

    ``entry_keys`` are the hubs' entry keys by kid. Which challenge it was, only the authority that
    made it knows; that it signed the act says that it was satisfied.
    """
    statement = cose.parse1(proof, bytes_max=POSSESSION_BYTES_MAX)
    verified = cose.verify1(statement, POSSESSION_DOMAIN, entry_keys.get(statement.kid, b""))
    match cbor.decode(verified.payload, bytes_max=POSSESSION_BYTES_MAX):
        case [said_origin, said_dataset, said_kid, bytes(challenge)] if [
            said_origin,
            said_dataset,
            said_kid,
        ] == [origin, dataset, kid] and len(challenge) == CHALLENGE_BYTES:
            return verified
    raise _other_content()


def _other_content() -> KeysError:
    return SignatureInvalid(
        "the proof of possession is about other keys",
        "持有证明针对的是其他密钥",
        remedy=("make the proof over the keys in the act", "请就该行为中的密钥生成证明"),
        failure="content",
    )
