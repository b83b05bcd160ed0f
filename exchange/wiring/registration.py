"""The act that puts an adapter instance on the ledger: its keys from custody, their proof.

A key file that was made for another machine's authority (`exchange.wiring.join`) holds the first
instance's keys before anybody is enrolled; `prepared` tells that they wait there.
"""

from exchange.model.acts import RegisterInstance
from exchange.registry.possession import prove_keys
from exchange.wiring.homekeys import kem_label, signing_label
from keys.custody import Custody, PublicKey
from keys.errors import KeyExists


def prepare_instance(custody: Custody, name: str, number: int = 0) -> tuple[PublicKey, PublicKey]:
    """The ``number``-th signing and agreement key of an instance, made if missing."""
    signing = signing_key(custody, signing_label(name, number))
    return signing, agreement_key(custody, kem_label(name, number))


def prepared(custody: Custody, name: str) -> bool:
    """Whether custody holds the first keys of an instance."""
    wanted = {signing_label(name), kem_label(name)}
    return wanted <= {key.label for key in custody.publics()}


def registration(
    custody: Custody, *, origin: str, member: str, name: str, number: int = 0
) -> RegisterInstance:
    """The act's body with the proof that whoever sends it holds both keys."""
    signing, kem = prepare_instance(custody, name, number)
    proof = prove_keys(
        origin=origin,
        member=member,
        instance=name,
        signing=signing.raw,
        kem=kem.raw,
        signer=custody.signer(signing.label),
    )
    return RegisterInstance(instance=name, signing=signing.raw, kem=kem.raw, proof=proof)


def signing_key(custody: Custody, label: str) -> PublicKey:
    """The signing key of that label, made if missing."""
    try:
        return custody.generate_signing(label)
    except KeyExists:
        return custody.public(label)


def agreement_key(custody: Custody, label: str) -> PublicKey:
    """The key agreement pair of that label, made if missing."""
    try:
        return custody.generate_kem(label)
    except KeyExists:
        return custody.public(label)
