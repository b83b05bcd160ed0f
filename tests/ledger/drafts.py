"""Keys of everybody in a test world, and the acts they would sign, before anybody signs them."""

import hashlib
import random
from functools import cache
from typing import Final

from exchange.model import acts
from exchange.model.acttypes import MemberKind
from exchange.model.contract import Contract
from exchange.registry.possession import POSSESSION_DOMAIN, prove_keys
from exchange.registry.state import Registry
from exchange.wiring.lawbook import shipped_rules
from keys import cbor, cose
from keys.cose import Signer
from keys.custody import MemoryCustody
from keys.identity import XWING, kid_of
from policies.engine import Engine

ORIGIN: Final = "exchange.test/2026"
START_MS: Final = 1_767_225_600_000
DAY_MS: Final = 86_400_000
HOUR_MS: Final = 3_600_000
OWN_CODE: Final = "the credit code of whoever proposes"
"""Stands in drafts of proposals; `World.sign` knows who that is."""

VILLAGES: Final = """\
dataset: villages
title: {zh: 村社名录, en: Villages}
fields:
  - {name: code, type: region, level: 1, required: true}
  - {name: name, type: text, level: 1}
  - {name: head, type: text, level: 2}
  - {name: phone, type: text, level: 3}
key: [code]
region: {field: code, level: city}
cycle: yearly
retention_days: 365
"""


@cache
def engine() -> Engine:
    """The rules that ship, loaded once."""
    return shipped_rules()


def contract(dataset: str = "villages", *, split: bool = True) -> Contract:
    """A contract with three sections; split by city, or not at all."""
    text = VILLAGES.replace("dataset: villages", f"dataset: {dataset}")
    if not split:
        text = text.replace("region: {field: code, level: city}\n", "")
    return Contract.from_yaml(text.encode())


def resource_code(dataset: str) -> str:
    """A resource code that no other dataset of a test has."""
    return f"307001/{int.from_bytes(hashlib.sha256(dataset.encode()).digest()[:4], 'big'):010}"


@cache
def credit_code(member: str) -> str:
    """A credit code (GB 32100) that no other member of a test has."""
    known = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    number = int.from_bytes(hashlib.sha256(member.encode()).digest()[:4], "big") % 10**9
    code = f"11330000{number:09}"
    total = sum(known.index(one) * pow(3, place, 31) for place, one in enumerate(code))
    return code + known[-total % 31]


def elements(dataset: str = "villages", **changed: object) -> acts.CoreElements:
    """The 13 core elements of a whole catalogue entry."""
    stated: dict[str, object] = {
        "classification": "基础信息资源",
        "name": "村社名录",
        "code": resource_code(dataset),
        "provider": "民政厅",
        "provider_code": OWN_CODE,
        "abstract": "全省村社名录",
        "format": "数据库",
        "items": ("code", "name", "head", "phone"),
        "sharing": "无条件共享",
        "openness": "不开放",
        "cycle": "每年",
        "published_on": "2026-01-01",
        "related": (),
    }
    return acts.CoreElements.model_validate({**stated, **changed})


class Drafts:
    """Bodies of acts that would be permitted; each takes fields to change. Seeded."""

    def __init__(self, *, seed: int, hubs: tuple[str, ...]) -> None:
        self.chance = random.Random(seed)
        self.custody = MemoryCustody(self.chance.randbytes)
        self.now_ms = START_MS
        self.hubs = hubs
        labels = [f"{kind}/{hub}" for kind in ("hub", "checkpoint") for hub in hubs]
        for label in ("office/authority", "recovery", *labels):
            self.custody.generate_signing(label)
        for hub in hubs:
            self.custody.generate_mldsa(f"checkpoint-mldsa/{hub}")

    @property
    def registry(self) -> Registry:
        """The state that drafts refer to."""
        raise NotImplementedError

    def genesis_body(self, **changed: object) -> acts.Genesis:
        """What the genesis act of this world says."""
        stated: dict[str, object] = {
            "authority": "authority",
            "name_zh": "省数据局",
            "name_en": "Data Bureau",
            "credit_code": "11330000MB12345679",
            "officer": self.public("office/authority"),
            "recovery": self.public("recovery"),
            "hubs": tuple(
                acts.HubKeys(
                    hub=hub,
                    entry=self.public(f"hub/{hub}"),
                    checkpoint=self.public(f"checkpoint/{hub}"),
                    checkpoint_mldsa=self.public(f"checkpoint-mldsa/{hub}"),
                )
                for hub in self.hubs
            ),
            "ca": bytes(32),
            "rules": engine().rule_set_hash,
            "region": "33",
        }
        return acts.Genesis.model_validate({**stated, **changed})

    def public(self, label: str) -> bytes:
        """A public key by the label of its pair."""
        return self.custody.public(label).raw

    def signer(self, label: str) -> Signer:
        """The signer of that label."""
        return self.custody.signer(label)

    def nonce(self) -> bytes:
        """Sixteen seeded bytes."""
        return self.chance.randbytes(16)

    def enrolment(
        self, member: str, kind: MemberKind = "department", **changed: object
    ) -> acts.EnrolMember:
        """The authority's act that admits ``member`` with a fresh officer key."""
        label = f"office/{member}"
        if label not in {key.label for key in self.custody.publics()}:
            self.custody.generate_signing(label)
        officer = self.public(label)
        stated: dict[str, object] = {
            "member": member,
            "member_kind": kind,
            "name_zh": member,
            "name_en": member,
            "credit_code": credit_code(member),
            "region": "33",
            "officer": officer,
            "proof": prove_keys(
                origin=ORIGIN,
                member=member,
                instance="",
                signing=officer,
                kem=b"",
                signer=self.signer(label),
            ),
        }
        return acts.EnrolMember.model_validate({**stated, **changed})

    def registration(
        self, member: str, instance: str = "main", *, fresh: bool = False
    ) -> acts.RegisterInstance:
        """A member's act that registers an adapter; ``fresh`` makes new keys under the old name."""
        label = f"adapter/{member}/{instance}"
        if fresh:
            self.custody.destroy(label)
            self.custody.destroy(f"kem/{label}")
        signing = self.custody.generate_signing(label).raw
        kem = self.custody.generate_kem(f"kem/{label}").raw
        proof = prove_keys(
            origin=ORIGIN,
            member=member,
            instance=instance,
            signing=signing,
            kem=kem,
            signer=self.signer(label),
        )
        return acts.RegisterInstance(instance=instance, signing=signing, kem=kem, proof=proof)

    def proposal(self, dataset: str = "villages", **changed: object) -> acts.ProposeDataset:
        """A provider's proposal of a dataset on its own topic."""
        conditional = changed.get("sharing") == "conditional"
        stated: dict[str, object] = {
            "dataset": dataset,
            "elements": elements(dataset),
            "sharing": "unconditional",
            "secrecy": "none",
            "basis": "浙江省公共数据条例",
            "contract": contract(dataset).encoded,
            "topic": f"data.{dataset}",
            "partitions": 4,
            "scope": ("department",) if conditional else (),
            "uses": ("collaboration",) if conditional else (),
        }
        return acts.ProposeDataset.model_validate({**stated, **changed})

    def dataset_key(self, dataset: str = "villages", **changed: object) -> acts.DatasetKey:
        """The authority's act that puts a KEM key, held by the first hub, on record."""
        label = f"dataset/{dataset}/{self.chance.random()}"
        public = self.custody.generate_kem(label).raw
        kid = kid_of(XWING, public)
        challenge = hashlib.sha256(self.nonce()).digest()
        proof = cose.sign1(
            cbor.encode([ORIGIN, dataset, kid, challenge]),
            POSSESSION_DOMAIN,
            self.signer(f"hub/{self.hubs[0]}"),
        )
        stated: dict[str, object] = {
            "dataset": dataset,
            "public": public,
            "valid_from_ms": self.now_ms,
            "valid_to_ms": self.now_ms + 365 * DAY_MS,
            "proof": proof,
        }
        return acts.DatasetKey.model_validate({**stated, **changed})

    def application(self, dataset: str = "villages", **changed: object) -> acts.Apply:
        """A consumer's application for two of three sections of one city."""
        row = self.registry.datasets.get(dataset)
        stated: dict[str, object] = {
            "dataset": dataset,
            "contract": row.contract_hash if row else bytes(32),
            "fields": ("code", "name", "head"),
            "regions": ("3301",),
            "purpose": "collaboration",
            "duty": "社会保险法 第七条",
            "scenario": "待遇核发",
            "manner": "table",
            "from_ms": START_MS,
            "to_ms": START_MS + 90 * DAY_MS,
            "expires_ms": START_MS + 60 * DAY_MS,
        }
        return acts.Apply.model_validate({**stated, **changed})

    def opening(
        self, dataset: str = "villages", region: str = "3301", **changed: object
    ) -> acts.OpenStream:
        """An act that opens a stream in the place the catalogue names."""
        stated = {"dataset": dataset, "region": region, "topic": f"data.{dataset}", "partition": 0}
        return acts.OpenStream.model_validate({**stated, **changed})

    def anchor(self, stream: bytes, sequence: int, **changed: object) -> acts.Anchor:
        """How far a stream has come, with a head that depends on nothing but its sequence."""
        stated: dict[str, object] = {
            "stream": stream,
            "epoch": bytes(16),
            "sequence": sequence,
            "head": hashlib.sha256(stream + sequence.to_bytes(8, "big")).digest(),
            "records": 100 * (sequence + 1),
            "version": 100 * (sequence + 1),
        }
        return acts.Anchor.model_validate({**stated, **changed})

    def item(self, stream: bytes, **changed: object) -> acts.AskItem:
        """One epoch of a stream, as a header of it would describe it."""
        row = self.registry.streams.get(stream)
        dataset = self.registry.datasets[row.dataset] if row else None
        stated: dict[str, object] = {
            "stream": stream,
            "epoch": bytes(16),
            "header": bytes(32),
            "contract": dataset.contract_hash if dataset else bytes(32),
            "from_ms": START_MS + HOUR_MS,
            "to_ms": START_MS + 2 * HOUR_MS,
            "levels": (1, 2),
            "sequence": 0,
        }
        return acts.AskItem.model_validate({**stated, **changed})

    def ask(
        self, grant: bytes, *items: acts.AskItem, purpose: str = "collaboration"
    ) -> acts.AskKeys:
        """A consumer's request for the keys of ``items``."""
        return acts.AskKeys(grant=grant, purpose=purpose, items=items)
