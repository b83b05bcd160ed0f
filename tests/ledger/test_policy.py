"""Policy files of c2sp.org/tlog-policy, and what meets them."""

import pytest

from exchange.errors import CheckFailed, ConfigurationInvalid, NoteRefused
from exchange.ledger.cosignature import HeadSigner, SignedHead, log_keys, sign_head, verify_head
from exchange.ledger.note import Note, SignatureLine, SignatureType, VerifierKey, check_name
from exchange.ledger.policy import Policy, Witnessed, check_quorum, cosigned, parse_policy
from exchange.ledger.proof import Proof, Proven, verify_proof
from tests.ledger.logs import NOW_S, PublishedLog, policy_text

LOG = PublishedLog(seed=4).grow(10)
CLASSICAL, SECOND = (signer.key for signer in LOG.witness)
OTHER = PublishedLog(seed=5).witness[1].key
GROUPED = f"""\
# two of three, then one more
log {LOG.keys.vkeys[0].text()} https://hub.test/log/

witness a {CLASSICAL.text()}
\t witness b {SECOND.text()} https://witness.test
witness c {OTHER.text()}
group two 2 a b c
quorum two
"""


def head_of(witnessed: bool = True) -> SignedHead:
    return verify_head(LOG.signed(witnessed=witnessed).render(), LOG.keys)


def test_a_policy_with_groups_is_read_whole() -> None:
    policy = parse_policy(GROUPED.encode())
    assert policy.logs == ((LOG.keys.vkeys[0], "https://hub.test/log/"),)
    assert [witness.url for witness in policy.witnesses.values()] == [
        "",
        "https://witness.test",
        "",
    ]
    assert policy.met({"a", "c"})
    assert not policy.met({"b"})
    assert not policy.met({"nobody", "b"})


def test_a_head_is_witnessed_by_a_quorum_only() -> None:
    policy = parse_policy(GROUPED.encode())
    assert check_quorum(head_of(), policy).times == {"a": NOW_S + 1, "b": NOW_S + 1}
    with pytest.raises(NoteRefused, match="missing: a, b, c") as refusal:
        check_quorum(head_of(witnessed=False), policy)
    assert refusal.value.failure == "quorum"
    alone = parse_policy(f"witness c {OTHER.text()}\nquorum c".encode())
    with pytest.raises(NoteRefused):
        check_quorum(head_of(), alone)


@pytest.mark.parametrize(
    ("threshold", "met"), [("all", False), ("any", True), ("1", True), ("2", True), ("3", False)]
)
def test_thresholds(threshold: str, met: bool) -> None:
    policy = parse_policy(GROUPED.replace("two 2", f"two {threshold}").encode())
    assert policy.met(cosigned(head_of(), policy)) is met


def test_groups_of_groups() -> None:
    text = GROUPED.replace("group two 2 a b c", "group ab any a b\ngroup two all ab c")
    assert parse_policy(text.encode()).met({"b", "c"})
    assert not parse_policy(text.encode()).met({"a", "b"})


def test_no_quorum_asks_for_nobody() -> None:
    assert check_quorum(head_of(witnessed=False), parse_policy(b"quorum none")).times == {}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "quorum a",
        "quorum none\nquorum none",
        "witness none KEY\nquorum none",
        "witness a KEY\nwitness b KEY\nquorum a",
        "witness a KEY\nwitness a OTHER\nquorum a",
        "witness a LOGKEY\nquorum a",
        "log KEY4\nquorum none",
        "witness a\nquorum none",
        "witness a KEY url more\nquorum a",
        "witness a nonsense\nquorum a",
        "witness a é+KEY\nquorum a",
        "witness a KEY\ngroup g 0 a\nquorum g",
        "witness a KEY\ngroup g 2 a\nquorum g",
        "witness a KEY\ngroup g 01 a\nquorum g",
        "witness a KEY\ngroup g 99999 a\nquorum g",
        "witness a KEY\ngroup g some a\nquorum g",
        "witness a KEY\ngroup g 1 a a\nquorum g",
        "witness a KEY\ngroup g 1 a\ngroup h 1 a\nquorum h",
        "witness a KEY\ngroup a 1 a\nquorum a",
        "witness a KEY\ngroup g 1 h\nquorum g",
        "group g 1\nquorum none",
        "witness a KEY\nquorum b",
        "Quorum none",
        "quorum none\r",
        "quorum none\x00",
        *[f"{'x' * (1 << 20)}\nquorum none"],
    ],
)
def test_what_is_no_policy_is_refused(text: str) -> None:
    keys = {"KEY4": CLASSICAL, "LOGKEY": LOG.keys.vkeys[0], "OTHER": OTHER, "KEY": SECOND}
    for word, key in keys.items():
        text = text.replace(word, key.text())
    with pytest.raises(ConfigurationInvalid) as refusal:
        parse_policy(text.encode("utf-8", "surrogateescape"), "witnesses.policy")
    assert refusal.value.failure == "policy"
    assert "witnesses.policy:" in refusal.value.text.en


def test_more_names_than_stated_are_refused() -> None:
    lines = [f"witness a {SECOND.text()}", "group g0 1 a"]
    lines += [f"group g{number} 1 g{number - 1}" for number in range(1, 300)]
    with pytest.raises(ConfigurationInvalid, match="more than 256"):
        parse_policy("\n".join([*lines, "quorum a"]).encode())


def test_names_of_other_alphabets_are_opaque() -> None:
    policy = parse_policy(f"# 见证人\nwitness 卫健委 {SECOND.text()}\nquorum 卫健委\n".encode())
    assert check_quorum(head_of(), policy).times == {policy.quorum: NOW_S + 1}


def test_a_line_of_a_witness_that_does_not_verify_spoils_the_note() -> None:
    note = LOG.signed(witnessed=True)
    bad = SignatureLine(SECOND.name, SECOND.id, note.lines[-1].signature[:-1] + b"x")
    head = verify_head(Note(note.text, (*note.lines[:-1], bad)).render(), LOG.keys)
    with pytest.raises(NoteRefused) as refusal:
        cosigned(head, parse_policy(policy_text(LOG)))
    assert refusal.value.failure == "signature"


def test_a_cosignature_without_a_time_does_not_count() -> None:
    head = LOG.head()
    lines = LOG.signed().lines + sign_head(head, LOG.witness, now_s=0)
    timeless = verify_head(Note(head.text(), lines).render(), LOG.keys)
    assert cosigned(timeless, parse_policy(policy_text(LOG))) == {}


def test_a_time_beyond_what_the_format_allows_is_refused() -> None:
    head = LOG.head()
    lines = sign_head(head, LOG.signers(), now_s=1 << 63)
    with pytest.raises(NoteRefused) as refusal:
        verify_head(Note(head.text(), lines).render(), LOG.keys)
    assert refusal.value.failure == "signature"


def test_an_origin_that_can_name_no_key_has_no_log() -> None:
    for origin in ("", "a b", "a+b", "a\u3000b", "x" * 256, "a\tb"):
        with pytest.raises(NoteRefused) as refusal:
            log_keys(origin, [])
        assert refusal.value.failure == "key-name"
    assert check_name("数据局/2026") == "数据局/2026"


def test_a_hub_founded_before_mldsa_signs_with_one_key() -> None:
    old = log_keys(LOG.keys.origin, [("hub-1", LOG.custody.public("hub-1").raw, None)])
    note = Note(LOG.head().text(), LOG.signed().lines[:1])
    assert verify_head(note.render(), old).time_s == 0
    nobody = log_keys(LOG.keys.origin, [])
    with pytest.raises(NoteRefused):
        verify_head(note.render(), nobody)


def test_a_name_that_no_message_can_hold_is_not_signed() -> None:
    key = VerifierKey("x" * 256, SignatureType.MLDSA, SECOND.public)
    with pytest.raises(NoteRefused):
        sign_head(LOG.head(), [HeadSigner(key, LOG.witness[1].signer)], now_s=NOW_S)


def test_a_proof_may_be_asked_for_witnesses_and_for_another_copy_of_the_entry() -> None:
    policy = parse_policy(policy_text(LOG))
    path, entry = LOG.tree.inclusion(3), LOG.entries[3]
    proof = Proof(3, path, LOG.signed(witnessed=True).render(), entry)
    proven = verify_proof(proof, LOG.keys, entry=entry, policy=policy)
    assert proven.witnessed is not None
    assert (proven.entry, proven.index) == (entry, 3)
    with pytest.raises(NoteRefused) as refusal:
        verify_proof(Proof(3, path, LOG.signed().render(), entry), LOG.keys, policy=policy)
    assert refusal.value.failure == "quorum"
    with pytest.raises(CheckFailed) as failed:
        verify_proof(proof, LOG.keys, entry=b"another")
    assert failed.value.failure == "inclusion"


def test_nobody_else_makes_what_verification_gives() -> None:
    head = head_of()
    for make in (
        lambda: SignedHead(head.checkpoint, "hub-1", 0, head.note, object()),
        lambda: Witnessed(head, {}, object()),
        lambda: Proven(b"", 0, head, None, object()),
    ):
        with pytest.raises(TypeError):
            make()
    assert isinstance(parse_policy(b"quorum none"), Policy)


def test_a_policy_that_lists_logs_asks_for_one_of_them() -> None:
    first, second = (hub.keys[0].text() for hub in LOG.keys.hubs)
    by_first = parse_policy(f"log {first}\nlog {second}\nquorum none".encode())
    assert check_quorum(head_of(), by_first).times == {}
    other = PublishedLog(seed=5).keys.vkeys[0].text()
    for text in (f"log {second}\nquorum none", f"log {other}\nquorum none"):
        with pytest.raises(NoteRefused) as refusal:
            check_quorum(head_of(), parse_policy(text.encode()))
        assert refusal.value.failure == "unsigned"
    alone = by_first.log(LOG.keys.origin)
    assert verify_head(LOG.signed(hub="hub-2").render(), alone).checkpoint == LOG.head()
    assert by_first.log("another.test").vkeys == ()
