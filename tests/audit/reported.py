"""Reports made without a bus: of a `Lined` world, signed by its audit office."""

from typing import Any

from exchange.audit.account import Account
from exchange.audit.reconcile import reconcile
from exchange.audit.reportcheck import DATA, PAGE, proof_name
from exchange.audit.reportdata import Data, Ground, Scope, encoded, report_data
from exchange.audit.reportpage import render
from exchange.audit.reportseal import STATEMENT, Statement, hashes, sign
from exchange.audit.tally import Due, Tally
from exchange.ledger.checkpoint import Checkpoint
from exchange.ledger.cosignature import HeadSigner, sign_head
from exchange.ledger.merkle import Tree
from exchange.ledger.note import Note, SignatureType, VerifierKey
from exchange.ledger.proof import Proof
from exchange.model import acts
from exchange.registry.fold import RegistryFold
from keys.cose import Signer
from tests.audit.lined import Lined
from tests.ledger.drafts import ORIGIN, engine
from tests.ledger.world import World, permitted

ISSUED_MS = 1_800_000_000_000
ISSUER = "audit-office"


def busy() -> Lined:
    """A world in which something of everything happened."""
    lined = Lined()
    world = lined.world
    lined.anchor(4)
    lined.ask(0)
    lined.receipt(0, 4)
    lined.anchor(9)
    lined.ask(5, epoch=bytes([1]) * 16)
    assert not world.put(world.application(duty=""), by="human-resources").permit
    bad = world.ask(lined.grant, world.item(lined.stream), purpose="其他用途")
    assert not world.put(bad, by="health/main").permit
    world.publish("civil", "clinics", sharing="conditional")
    request = permitted(world.put(world.application("clinics"), by="human-resources"))
    refusal = acts.AnswerRequest(
        request=request, approve=False, basis="个人信息保护法 第三十四条", reason="no-duty"
    )
    assert world.put(refusal, by="civil").permit
    world.put(world.application("clinics", duty="<b>资格审核</b>"), by="health")
    world.advance(Due().receipt_ms)
    world.put(world.enrolment("late"))
    return lined


def tree_of(world: World) -> Tree:
    tree = Tree()
    for entry in world.entries:
        tree.append(entry.leaf_hash)
    return tree


def signed_head(world: World) -> Note:
    """The head that the world's hub signs."""
    head = Checkpoint(ORIGIN, len(world.entries), tree_of(world).root())
    signers = [
        HeadSigner(VerifierKey(ORIGIN, kind, world.public(label)), signer)
        for kind, label, signer in (
            (SignatureType.ED25519, "checkpoint/hub-1", world.signer("checkpoint/hub-1")),
            (
                SignatureType.MLDSA,
                "checkpoint-mldsa/hub-1",
                world.custody.mldsa_signer("checkpoint-mldsa/hub-1"),
            ),
        )
    ]
    return Note(head.text(), sign_head(head, signers, now_s=ISSUED_MS // 1_000))


def data_of(
    world: World,
    member: str,
    note: Note,
    *,
    issuer: str = ISSUER,
    from_ms: int = 0,
    to_ms: int = 1 << 62,
) -> tuple[Data, Account]:
    """What a report about ``member`` says, read anew from the entries."""
    fold = RegistryFold([engine()])
    size = len(world.entries)
    account = Account(member, fold.registry, size=size)
    tally = Tally(as_of_ms=world.now_ms, due=Due(), size_max=size)
    for folded in (fold.begin(world.root), *map(fold.fold, world.entries[1:])):
        account.take(folded)
        tally.take(folded)
    found = [one for one in reconcile(tally, fold.registry).findings if one.concerns(member)]
    scope = Scope(member, from_ms, to_ms, issuer, ISSUED_MS)
    root = tree_of(world).root()
    ground = Ground(ORIGIN, world.pin, size, root, "hub-1", note.render().decode())
    return report_data(scope, ground, account, fold.registry, found, engine()), account


def files_of(
    world: World,
    member: str,
    *,
    issuer: str = ISSUER,
    signer: Signer | None = None,
    note: Note | None = None,
    **changed: Any,
) -> dict[str, bytes]:
    """The files of a report, as exchange/wiring/reporting.py makes them; ``changed`` is data."""
    note = note or signed_head(world)
    data, _ = data_of(world, member, note, issuer=issuer)
    data |= changed
    tree = tree_of(world)
    files = {DATA: encoded(data), PAGE: render(data).encode()}
    for index in data["evidence"]:
        proof = Proof(index, tree.inclusion(index), note.render(), world.entries[index].raw)
        files[proof_name(index)] = proof.text().encode()
    return files | {STATEMENT: statement(data, files, signer or world.signer(f"office/{issuer}"))}


def statement(data: Data, files: dict[str, bytes], signer: Signer) -> bytes:
    """The signed statement over ``files``."""
    ground, period = data["ground"], data["period"]
    said = Statement(
        ORIGIN,
        data["issuer"]["id"],
        data["member"]["id"],
        period["from"],
        period["to"],
        data["issued"],
        ground["size"],
        bytes.fromhex(ground["root"]),
        hashes(files),
    )
    return sign(said, signer)
