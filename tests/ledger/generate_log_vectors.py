"""Writes tests/ledger/vectors/log.json: texts of the log, good and bad, each with its class.

ML-DSA signatures are randomised, so a new run gives other texts of equal worth; the committed file
is what every later build must go on reading. Run it only to add cases::

    python -m tests.ledger.generate_log_vectors
"""

import json
from pathlib import Path
from typing import Final

from exchange.ledger.note import Note, SignatureLine, encode64
from exchange.ledger.proof import Proof
from tests.ledger.logs import PublishedLog, policy_text

FILE: Final = Path(__file__).parent / "vectors" / "log.json"
GO_EXAMPLE: Final = (
    "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
    "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ON"
    "ncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n",
)
"""The example of c2sp.org/signed-note: a verifier key and a note that it signed."""


def cases() -> list[dict[str, str]]:
    """Kind (vkey, note, head, proof), name, text, failure ("" for good ones)."""
    log = PublishedLog(seed=4).grow(300)
    return _notes(log) + _heads(log) + _proofs(log)


def _notes(log: PublishedLog) -> list[dict[str, str]]:
    good, text = log.signed().render().decode(), log.head().text()
    first = log.signed().lines[0]
    return [
        _case("vkey", "c2sp-example", GO_EXAMPLE[0]),
        _case("vkey", "ed25519", log.keys.vkeys[0].text()),
        _case("vkey", "mldsa", log.keys.vkeys[1].text()),
        _case("vkey", "id-of-another", GO_EXAMPLE[0].replace("530d903a", "530d903b"), "vkey"),
        _case("vkey", "type-unknown", GO_EXAMPLE[0].replace("+Aeky", "+Auky"), "vkey"),
        _case("vkey", "short-key", "example.com/foo+530d903a+AekyeRrm", "vkey"),
        _case("vkey", "nothing", "", "vkey"),
        _case("vkey", "space-in-name", GO_EXAMPLE[0].replace("/foo", "/f o"), "vkey"),
        _case("note", "c2sp-example", GO_EXAMPLE[1]),
        _case(
            "note", "text-with-empty-lines", "a\n\nb\n" + GO_EXAMPLE[1].partition("message.\n")[2]
        ),
        _case("note", "carriage-return", good.replace("\n", "\r\n"), "note-text"),
        _case("note", "no-signatures", text, "note-shape"),
        _case("note", "nothing-signed", good.replace("— ", "- "), "note-line"),
        _case("note", "no-last-newline", good[:-1], "note-line"),
        _case("note", "base64-not-canonical", _tail(GO_EXAMPLE[1], "QM=\n", "QN=\n"), "note-line"),
        _case("note", "base64-unpadded", GO_EXAMPLE[1].replace("=", ""), "note-line"),
        _case("note", "only-an-id", text + "\n— a " + encode64(b"1234") + "\n", "note-line"),
        _case("note", "plus-in-name", good.replace("— exch", "— ex+ch"), "note-line"),
        _case("note", "65-lines", text + "\n" + first.text() * 65, "note-line"),
    ]


def _heads(log: PublishedLog) -> list[dict[str, str]]:
    good = log.signed().render().decode()
    first, second = log.signed().lines
    text, root = log.head().text(), encode64(log.tree.root())
    return [
        _case("head", "two-lines", good),
        _case("head", "by-the-other-hub", log.signed(200, hub="hub-2").render().decode()),
        _case("head", "cosigned", log.signed(256, witnessed=True).render().decode()),
        _case(
            "head",
            "with-an-unknown-line",
            _noted(text, first, second, SignatureLine("a", b"1234", b"5")),
        ),
        _case(
            "head", "size-with-leading-zero", good.replace("\n300\n", "\n0300\n"), "checkpoint-size"
        ),
        _case("head", "size-with-sign", good.replace("\n300\n", "\n-300\n"), "checkpoint-size"),
        _case("head", "size-2-to-63", good.replace("\n300\n", f"\n{1 << 63}\n"), "checkpoint-size"),
        _case("head", "size-full-width", good.replace("\n300\n", "\n３００\n"), "checkpoint-size"),
        _case("head", "two-lines-of-text", good.replace("300\n", ""), "checkpoint-lines"),
        _case("head", "empty-line", good.replace("300\n", "300\n\n"), "checkpoint-lines"),
        _case("head", "short-root", good.replace(root, "AAAA"), "checkpoint-root"),
        _case("head", "another-size", good.replace("\n300\n", "\n299\n"), "signature"),
        _case("head", "another-root", good.replace(root, encode64(bytes(32))), "signature"),
        _case(
            "head",
            "another-origin",
            good.replace("exchange.test/2026\n", "exchange.test/2027\n", 1),
            "origin",
        ),
        _case("head", "extension-line-added", good.replace(root, f"{root}\nmore"), "signature"),
        _case("head", "without-its-mldsa-line", _noted(text, first), "unsigned"),
        _case("head", "without-its-ed25519-line", _noted(text, second), "unsigned"),
        _case(
            "head",
            "half-by-each-hub",
            _noted(text, first, log.signed(hub="hub-2").lines[1]),
            "unsigned",
        ),
        _case(
            "head",
            "mldsa-line-of-another-head",
            _noted(text, first, log.signed(299).lines[1]),
            "signature",
        ),
        _case("head", "mldsa-time-moved", _noted(text, first, _moved(second)), "signature"),
        _case(
            "head",
            "mldsa-line-too-short",
            _noted(text, first, SignatureLine(second.name, second.id, b"12345678")),
            "signature",
        ),
        _case(
            "head",
            "good-and-bad-line-of-one-key",
            _noted(text, first, second, _moved(second)),
            "signature",
        ),
        _case(
            "head",
            "by-a-stranger",
            PublishedLog(seed=5).grow(300).signed().render().decode(),
            "unsigned",
        ),
    ]


def _proofs(log: PublishedLog) -> list[dict[str, str]]:
    proof = Proof(17, log.tree.inclusion(17), log.signed().render(), log.entries[17])
    good = proof.text()
    path = encode64(proof.path[0]) + "\n"
    return [
        _case("proof", "entry-17", good),
        _case(
            "proof", "one-entry-alone", Proof(0, (), log.signed(1).render(), log.entries[0]).text()
        ),
        _case("proof", "version-2", good.replace("proof@v1", "proof@v2"), "proof-shape"),
        _case("proof", "no-index", good.replace("index 17\n", ""), "proof-shape"),
        _case("proof", "no-checkpoint", good.partition("\n\n")[0], "proof-shape"),
        _case(
            "proof", "index-with-leading-zero", good.replace("index 17", "index 017"), "proof-index"
        ),
        _case(
            "proof",
            "hash-of-31-bytes",
            good.replace(path, encode64(bytes(31)) + "\n"),
            "proof-path",
        ),
        _case("proof", "extra-not-base64", good.replace("extra ", "extra ."), "proof-extra"),
        _case("proof", "index-of-another", good.replace("index 17", "index 18"), "inclusion"),
        _case("proof", "index-beyond", good.replace("index 17", "index 300"), "inclusion"),
        _case("proof", "hash-left-out", good.replace(path, ""), "inclusion"),
        _case("proof", "hash-twice", good.replace(path, path * 2), "inclusion"),
        _case(
            "proof",
            "entry-of-another",
            good.replace(encode64(log.entries[17]), encode64(log.entries[18])),
            "inclusion",
        ),
        _case(
            "proof",
            "checkpoint-of-another-size",
            Proof(17, proof.path, log.signed(299).render(), proof.extra).text(),
            "inclusion",
        ),
        _case("proof", "no-entry", Proof(17, proof.path, proof.checkpoint).text(), "no-entry"),
    ]


def _case(kind: str, name: str, text: str, failure: str = "") -> dict[str, str]:
    return {"kind": kind, "name": name, "failure": failure, "text": text}


def _tail(text: str, old: str, new: str) -> str:
    return text.removesuffix(old) + new


def _noted(text: str, *lines: SignatureLine) -> str:
    return Note(text, lines).render().decode()


def _moved(line: SignatureLine) -> SignatureLine:
    later = (int.from_bytes(line.signature[:8]) + 1).to_bytes(8)
    return SignatureLine(line.name, line.id, later + line.signature[8:])


def write() -> None:
    """Write the file anew."""
    log = PublishedLog(seed=4)
    content = {
        "vkeys": [key.text() for key in log.keys.vkeys],
        "policy": policy_text(log).decode(),
        "cases": cases(),
    }
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    write()
