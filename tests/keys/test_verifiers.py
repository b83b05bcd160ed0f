"""Signatures checked in processes of their own: the same answers, in the order of asking."""

import pytest

from keys.cose import Claim, Sign1, claim1, parse1, sign1, verify_claims
from keys.custody import MemoryCustody
from keys.verifiers import Verifiers

ACT = "exchange/v1/act"
CUSTODY = MemoryCustody()
PUBLIC = CUSTODY.generate_signing("somebody").raw


def claim(number: int, *, holds: bool = True) -> Claim:
    raw = sign1(b"payload %d" % number, ACT, CUSTODY.signer("somebody"))
    said = parse1(raw, bytes_max=1_000)
    if not holds:
        said = Sign1(said.kid, said.payload + b"x", said.signature, said.protected, said.raw)
    return claim1(said, ACT, PUBLIC)


@pytest.mark.parametrize("processes", [0, 2])
def test_answers_come_in_the_order_of_asking(processes: int) -> None:
    with Verifiers(processes) as verifiers:
        assert verifiers.processes == processes
        for batch in range(5):
            holding = (number != batch for number in range(6))
            verifiers.send([claim(number, holds=yes) for number, yes in enumerate(holding)])
        verifiers.send([])
        assert verifiers.waiting == 6
        for batch in range(5):
            answers = verifiers.receive()
            assert [answer is None for answer in answers] == [n == batch for n in range(6)]
            assert all(a.payload == b"payload %d" % n for n, a in enumerate(answers) if a)
            assert all(a.public == PUBLIC and a.domain == ACT for a in answers if a)
        assert verifiers.receive() == []
        with pytest.raises(IndexError):
            verifiers.receive()
    assert (verifiers.processes, verifiers.waiting) == (0, 0)


def test_a_process_that_dies_is_no_answer() -> None:
    with Verifiers(1) as verifiers:
        verifiers._processes[0]._process.kill()
        verifiers._processes[0]._process.join()
        with pytest.raises((EOFError, BrokenPipeError)):
            verifiers.send([claim(0)])
            verifiers.receive()


def test_there_is_one_answer_a_signature() -> None:
    with pytest.raises(ValueError, match="one answer"):
        verify_claims([claim(0)], lambda _: b"")
    assert verify_claims([claim(0)], lambda _: b"\x02") == [None]
