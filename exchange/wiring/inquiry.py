"""Asking the ledger on the record: the act `audit.query`, filed before the answer is shown.

What was asked stays with whoever asked: the act holds a salted commitment (exchange/audit/SPEC.md,
section 2), and salt and question lie in the member's ``queries`` folder to be shown later.
"""

import hashlib
import os
import secrets
from collections.abc import Collection, Mapping, Sequence
from typing import Final

import orjson

from exchange.errors import UsageError
from exchange.flow.ports import Admitted
from exchange.model.evidenceacts import QUERY_PURPOSES, AuditQuery
from exchange.model.text import Text
from exchange.registry.state import Registry
from exchange.wiring.office import Office
from keys import cbor

SALT_BYTES: Final = 32
OVERSEERS: Final = frozenset({"auditor", "authority"})
"""Kinds of members that may ask about everybody (rule AUDIT-01)."""
_DOMAIN: Final = b"exchange/v1/query"
_WHAT: Final = Text("search the ledger for this", "检索账本的这些内容")


def commitment(salt: bytes, question: bytes) -> bytes:
    """The 32 bytes that the act holds."""
    return hashlib.sha256(_DOMAIN + salt + question).digest()


def encoded(named: Mapping[str, str | int], columns: Sequence[str]) -> bytes:
    """A question as it is committed to."""
    return cbor.encode({0: 1, 1: dict(named), 2: list(columns)})


def must_narrow(registry: Registry, me: str, datasets: Collection[str]) -> bool:
    """Whether a question that names no member is wider than ``me`` may ask (rule AUDIT-01).

    Then it is asked about ``me`` alone; without a row it is left for the hub to refuse.
    """
    row = registry.members.get(me)
    provided = {name for name, dataset in registry.datasets.items() if dataset.provider == me}
    own = bool(datasets) and provided.issuperset(datasets)
    return row is not None and row.kind not in OVERSEERS and not own


def check_purpose(purpose: str, registry: Registry | None) -> None:
    """`UsageError` unless the hub will know what the question is for.

    Without a ``registry`` only the list that every ledger knows is looked at, and the hub decides.
    """
    if purpose in QUERY_PURPOSES or registry is None or purpose in registry.purposes:
        return
    names = ", ".join(QUERY_PURPOSES)
    raise UsageError(
        f"there is no purpose {purpose[:40]!r} for a question",
        f"没有查询用途 {purpose[:40]!r}",
        remedy=(
            f"use one of: {names}, or a code of: exchange request purposes",
            f"可用：{names}，或 exchange request purposes 所列代码",
        ),
        failure="purpose",
    )


async def file_query(
    office: Office,
    named: Mapping[str, str | int],
    columns: Sequence[str],
    *,
    size: int,
    root: bytes,
    members: Sequence[str],
    datasets: Sequence[str],
    purpose: str,
) -> Admitted:
    """Put the question on the ledger, with the head that its answer stands on.

    `RuleRefused` if this member may not ask it.

    Returns when the hub's signed answer says where it stands; this office does not read that far.
    """
    salt, question = secrets.token_bytes(SALT_BYTES), encoded(named, columns)
    body = AuditQuery(
        commitment=commitment(salt, question),
        size=size,
        root=root,
        members=tuple(members),
        datasets=tuple(datasets),
        purpose=purpose,
    )
    voice = office.officer
    admitted = voice.permitted(await office.hub.submit(voice.sign(body)), *_WHAT)
    folder = office.home.member_directory(office.member) / "queries"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    kept = {"entry": admitted.index, "salt": salt.hex(), "question": question.hex()}
    file = folder / f"{admitted.index}.json"
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as target:
        target.write(orjson.dumps(kept))
    return admitted
