"""Bundles good and forged: one provider, one dataset key, three contracts, all from fixed seeds.

Everything but the HPKE wrap is deterministic; wrapped secrets are kept in ``vectors/epochs.json``.
Forgeries are signed by the provider itself unless a case says otherwise: most of what must be
refused is what an honest-looking but faulty or malicious provider could send.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from exchange.envelope.commitments import bundle_key, section_aad, section_key
from exchange.envelope.frame import padme
from exchange.envelope.header import DOMAIN, EpochContext, Header
from exchange.envelope.seal import Entropy, Epoch, Sealed, seal
from exchange.model.batch import Batch
from exchange.model.contract import Contract
from keys import cbor, cose
from keys.custody import MemoryCustody
from keys.secret import Secret
from keys.suite import SUITE_1

VECTORS: Final = Path(__file__).parent / "vectors"
EPOCHS: Final = VECTORS / "epochs.json"
ORIGIN: Final = "exchange.zj.example/2026"
PROVIDER: Final = "civil-affairs/adapter-1"
FROM_MS: Final = 1_790_000_000_000
TO_MS: Final = FROM_MS + 900_000
VERSION: Final = FROM_MS * 1000


def _contract(dataset: str, fields: Sequence[tuple[str, str, int]], *extra: str) -> Contract:
    lines = [
        f"dataset: {dataset}",
        "title: {zh: 示例, en: sample}",
        f"key: [{fields[0][0]}]",
        "cycle: yearly",
        "retention_days: 365",
        *extra,
        "fields:",
        *(
            f"  - {{name: {name}, type: {kind}, level: {level}"
            f"{', required: true' if name == fields[0][0] else ''}}}"
            for name, kind, level in fields
        ),
    ]
    return Contract.from_yaml("\n".join(lines).encode())


VILLAGES: Final = _contract("villages", [("code", "text", 1), ("name", "text", 1)])
EXAMS: Final = _contract(
    "exams",
    [("number", "text", 1), ("city", "text", 1), ("score", "integer", 2), ("absent", "boolean", 3)],
)
MIXED: Final = _contract("mixed", [("id", "integer", 1), ("note", "text", 1)])
CONTRACTS: Final = {one.dataset: one for one in (VILLAGES, EXAMS, MIXED)}


def seeded(name: str) -> Entropy:
    """Bytes that follow from ``name``, other ones at each call."""
    calls = 0

    def draw(length: int) -> bytes:
        nonlocal calls
        calls += 1
        return hashlib.shake_256(f"{name}/{calls}".encode()).digest(length)

    return draw


CUSTODY: Final = MemoryCustody(seeded("custody"))
SIGNING: Final = CUSTODY.generate_signing("adapter-1")
STRANGER: Final = CUSTODY.generate_signing("stranger")
KEM: Final = CUSTODY.generate_kem("dataset")
SIGNER: Final = CUSTODY.signer("adapter-1")


def stream_of(name: str) -> bytes:
    """The stream id of the streams called ``name``."""
    return hashlib.sha256(b"stream " + name.encode()).digest()


def epoch(contract: Contract, *, region: str = "", name: str = "one") -> Epoch:
    """The epoch called ``name`` of a dataset and region; its wrapped secret is the stored one."""
    context = EpochContext(
        suite=1,
        origin=ORIGIN,
        dataset=contract.dataset,
        kid=KEM.kid,
        provider=PROVIDER,
        stream=stream_of(contract.dataset + region),
        region=region,
        epoch=hashlib.sha256(f"epoch {name}".encode()).digest()[:16],
        contract=contract.hash,
    )
    secret = Secret(hashlib.sha256(f"secret {name}".encode() + context.encode()).digest())
    return Epoch(context, FROM_MS, TO_MS, secret, _wrapped(secret, context))


def _wrapped(secret: Secret, context: EpochContext) -> bytes:
    """The stored wrap of ``secret``; a new one is made and stored if there is none."""
    stored = json.loads(EPOCHS.read_text("utf-8")) if EPOCHS.exists() else {}
    name = hashlib.sha256(context.encode()).hexdigest()[:16]
    if name not in stored:
        wrapped = SUITE_1.wrap(KEM.raw, secret, context.encode())
        stored[name] = base64.b64encode(wrapped).decode()
        EPOCHS.write_text(json.dumps(stored, indent=1, sort_keys=True) + "\n", "utf-8")
    return base64.b64decode(stored[name])


def batch(contract: Contract, rows: Sequence[Sequence[Any]], **stamps: Any) -> Batch:
    """Rows as a batch; versions run from `VERSION` unless given."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    return Batch(
        columns=dict(zip(contract.names, columns, strict=True)),
        operations=stamps.get("operations"),
        versions=stamps.get("versions", list(range(VERSION, VERSION + len(rows)))),
    )


TWO_VILLAGES: Final = batch(
    VILLAGES, [["330102001051", "清波门社区"], ["330102001052", "劳动路社区"]]
)
THREE_RESULTS: Final = batch(
    EXAMS,
    [["A1", "3301", 512, False], ["A2", "3302", 498, False], ["A3", "3301", None, True]],
)


def sealed(contract: Contract, records: Batch, live: Epoch | None = None, **place: Any) -> Sealed:
    """``records`` sealed as sequence 0, or as ``place`` says."""
    live = live or epoch(contract)
    sequence = place.get("sequence", 0)
    return seal(
        records,
        contract,
        live,
        sequence=sequence,
        previous=place.get("previous", live.context.stream),
        signer=SIGNER,
        entropy=seeded(place.get("name", f"salt {contract.dataset} {sequence}")),
    )


def keys_of(live: Epoch, contract: Contract) -> dict[int, bytes]:
    """All section keys of an epoch."""
    context = live.context.encode()
    return {
        section.level: bytes(section_key(SUITE_1, live.secret, context, section.level))
        for section in contract.sections
    }


def fields(header: Header) -> dict[int, Any]:
    """The header's map, to be changed and signed again."""
    value = cbor.decode(header.encode(), bytes_max=8192)
    assert isinstance(value, dict)
    return value


def parts(raw: bytes) -> tuple[bytes, list[bytes]]:
    """Signed header and ciphertexts of a bundle."""
    value: Any = cbor.decode(raw, bytes_max=1 << 23)
    return value[0], value[1]


def signed(payload: bytes, signer: cose.Signer = SIGNER, domain: str = DOMAIN) -> bytes:
    """``payload`` as a signed header."""
    return cose.sign1(payload, domain, signer)


def bundle(header: Mapping[int, Any] | bytes, ciphertexts: Sequence[bytes]) -> bytes:
    """A bundle whose header the provider signed, whatever it says."""
    payload = header if isinstance(header, bytes) else cbor.encode(dict(header))
    return cbor.encode([signed(payload), list(ciphertexts)])


def frame(packed: bytes, *, claim: int | None = None, fill: bytes = b"\x00") -> bytes:
    """A padded frame around ``packed``, which may claim another length or have other padding."""
    length = 4 + len(packed)
    padding = padme(max(4096, length)) - length
    claimed = len(packed) if claim is None else claim
    return claimed.to_bytes(4, "big") + packed + fill * padding


def resealed(
    honest: Sealed, live: Epoch, frames: Mapping[int, tuple[bytes, int]], **changes: Any
) -> bytes:
    """``honest`` with other frames (level → frame, declared plain bytes), properly encrypted.

    ``changes`` are the header's ``records`` and ``versions``, and a ``sequence`` for the AAD alone.
    """
    header, context = fields(honest.header), live.context.encode()
    _, ciphertexts = parts(honest.raw)
    for place, section in enumerate(header[16]):
        level = section[0]
        if level in frames:
            plain, plain_bytes = frames[level]
            using = section_key(SUITE_1, live.secret, context, level)
            key, commitment = bundle_key(SUITE_1, using, header[15])
            aad = section_aad(header[5], changes.get("sequence", header[6]), level)
            ciphertexts[place] = SUITE_1.seal_once(key, plain, aad)
            digest = hashlib.sha256(ciphertexts[place]).digest()
            header[16][place] = [level, digest, plain_bytes, commitment]
    header[9] = changes.get("records", header[9])
    header[10] = changes.get("versions", header[10])
    return bundle(header, ciphertexts)
