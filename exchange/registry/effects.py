"""What a permitted act changes; with cataloguing, granting and sharing all code that writes rows.

Called by the fold alone, after `decide` has found the act permitted in this very state: nothing is
checked again here. ``index`` is the position of the entry; a changed row has version index + 1.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from exchange.model import acts, lawacts, lifeacts
from exchange.registry import cataloguing, granting, law, sharing
from exchange.registry.case import Asked
from exchange.registry.dutyeffects import EFFECTS as DUTY_EFFECTS
from exchange.registry.dutynotes import note_duties
from exchange.registry.forks import proven_fork
from exchange.registry.lawrows import Adoption
from exchange.registry.liferows import BUILT_IN
from exchange.registry.rows import (
    DatasetKey,
    Hub,
    Instance,
    Member,
    SigningKey,
    Stream,
)
from exchange.registry.state import Registry
from exchange.registry.tracks import ANCHORS_KEPT, AnchorRow, Fork, Gap, Track
from keys.identity import kid_of
from keys.suite import SUITE_1


def apply_genesis(body: acts.Genesis, origin: str, time_ms: int, registry: Registry) -> None:
    """Leaf 0: the origin, the authority, the hubs, the rule set."""
    registry.origin, registry.authority, registry.time_ms = origin, body.authority, time_ms
    registry.rules, registry.rules_version, registry.hubs_version = body.rules, 1, 1
    registry.adoptions.append(Adoption(0, time_ms, body.rules, "", b""))
    registry.purposes = {purpose.id: purpose for purpose in BUILT_IN}
    for hub in body.hubs:
        kid = kid_of(SUITE_1.signature_algorithm, hub.entry)
        registry.hubs[hub.hub] = Hub(hub.hub, kid, hub.entry, hub.checkpoint, hub.checkpoint_mldsa)
        registry.kids |= {kid, kid_of(SUITE_1.signature_algorithm, hub.checkpoint)}
    registry.kids.add(kid_of(SUITE_1.signature_algorithm, body.recovery))
    _add_member(
        registry,
        Member(
            body.authority,
            "authority",
            body.name_zh,
            body.name_en,
            body.credit_code,
            body.region,
            body.officer,
            kid_of(SUITE_1.signature_algorithm, body.officer),
            enrolled=0,
            version=1,
        ),
    )


def apply_effects(asked: Asked, index: int) -> None:
    """Change the state of ``asked`` by its act, which is permitted at ``index``."""
    effect = _EFFECTS.get(type(asked.act.body))
    if effect is not None:
        effect(asked.act.body, asked, index)
    note_duties(asked, index)


def _enrol(body: acts.EnrolMember, asked: Asked, index: int) -> None:
    _add_member(
        asked.registry,
        Member(
            body.member,
            body.member_kind,
            body.name_zh,
            body.name_en,
            body.credit_code,
            body.region,
            body.officer,
            kid_of(SUITE_1.signature_algorithm, body.officer),
            enrolled=index,
            version=index + 1,
        ),
    )


def _add_member(registry: Registry, row: Member) -> None:
    registry.members[row.id] = row
    registry.organisations[row.credit_code] = row.id
    registry.signing_keys[row.officer_kid] = SigningKey(row.officer_kid, row.officer, row.id, None)
    registry.kids.add(row.officer_kid)


def _suspend(body: acts.SuspendMember, asked: Asked, index: int) -> None:
    registry = asked.registry
    row = registry.members[body.member]
    registry.members[body.member] = replace(row, stopped=index, version=index + 1)
    for grant in registry.grants_by_consumer.get(body.member, ()):
        registry.revoked_at[registry.grants[grant].dataset] = index + 1


def _register(body: acts.RegisterInstance, asked: Asked, index: int) -> None:
    registry, member = asked.registry, asked.act.member
    row = Instance(
        member,
        body.instance,
        body.signing,
        kid_of(SUITE_1.signature_algorithm, body.signing),
        body.kem,
        kid_of(SUITE_1.kem_algorithm, body.kem),
        registered=index,
        version=index + 1,
    )
    registry.instances[member, body.instance] = row
    registry.registrations[row.signing_kid] = row
    registry.registered[row.id] = (*registry.registered.get(row.id, ()), row.signing_kid)
    key = SigningKey(row.signing_kid, row.signing, member, body.instance)
    registry.signing_keys[row.signing_kid] = key
    registry.kids |= {row.signing_kid, row.kem_kid}


def _retire(body: acts.RetireInstance, asked: Asked, index: int) -> None:
    registry = asked.registry
    place = (body.member, body.instance)
    row = replace(registry.instances[place], stopped=index, version=index + 1)
    registry.instances[place] = row
    registry.registrations[row.signing_kid] = row


def _dataset_key(body: acts.DatasetKey, asked: Asked, index: int) -> None:
    registry = asked.registry
    kid = kid_of(SUITE_1.kem_algorithm, body.public)
    key = DatasetKey(body.dataset, kid, body.public, body.valid_from_ms, body.valid_to_ms, index)
    registry.keys_of_dataset[body.dataset] = (*registry.dataset_keys(body.dataset), key)
    registry.kids.add(kid)
    registry.datasets[body.dataset] = replace(registry.datasets[body.dataset], version=index + 1)


def _open(body: acts.OpenStream, asked: Asked, index: int) -> None:
    registry, act = asked.registry, asked.act
    registry.streams[act.id] = Stream(
        act.id,
        body.dataset,
        act.member,
        act.instance or "",
        act.kid,
        body.region,
        body.topic,
        body.partition,
        body.predecessor,
        opened=index,
    )
    registry.tracks[act.id] = Track(index + 1)
    registry.streams_by_dataset.setdefault(body.dataset, []).append(act.id)


def _progress(body: acts.ReportProgress, asked: Asked, index: int) -> None:
    tracks = asked.registry.tracks
    for anchor in body.anchors:
        row = AnchorRow(
            anchor.epoch,
            anchor.sequence,
            anchor.head,
            anchor.records,
            anchor.version,
            index,
            asked.at_ms,
        )
        track = tracks[anchor.stream]
        kept = track.anchors[-(ANCHORS_KEPT - 1) :]
        tracks[anchor.stream] = Track(index + 1, (*kept, row), track.gaps)


def _gap(body: acts.DeclareGap, asked: Asked, index: int) -> None:
    track = asked.registry.tracks[body.stream]
    gap = Gap(body.first, body.last, body.head, body.reason, index)
    asked.registry.tracks[body.stream] = Track(index + 1, track.anchors, (*track.gaps, gap))


def _fork(body: acts.ReportFork, asked: Asked, index: int) -> None:
    asked.registry.forks[body.stream] = Fork(proven_fork(body, asked.registry), index)


# A key request, a receipt and a purge change nothing here: that they stand on the ledger is what
# they are for. What the first release of a grant means for duties is dutynotes.py.
_EFFECTS: Final[dict[type, Callable[[Any, Asked, int], None]]] = {
    acts.EnrolMember: _enrol,
    acts.SuspendMember: _suspend,
    acts.RegisterInstance: _register,
    acts.RetireInstance: _retire,
    acts.ProposeDataset: cataloguing.propose,
    lifeacts.ReviewDataset: cataloguing.review,
    acts.PublishDataset: cataloguing.publish,
    acts.WithdrawDataset: cataloguing.withdraw,
    acts.DatasetKey: _dataset_key,
    acts.OpenStream: _open,
    acts.ReportProgress: _progress,
    acts.DeclareGap: _gap,
    acts.ReportFork: _fork,
    acts.Apply: granting.apply,
    lifeacts.CompleteRequest: granting.complete,
    acts.AnswerRequest: granting.answer,
    acts.WithdrawRequest: granting.withdraw,
    lifeacts.RenewGrant: granting.renew,
    acts.RevokeGrant: granting.revoke,
    lifeacts.ConsentOnward: sharing.consent,
    lifeacts.DeclareCollection: sharing.collect,
    lifeacts.RegisterPurpose: sharing.register_purpose,
    lawacts.AdoptRules: law.adopt,
    lawacts.AssignRole: law.assign,
    lawacts.EndRole: law.end,
    **DUTY_EFFECTS,
}
