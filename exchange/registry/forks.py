"""Equivocation: two headers that one instance signed for one sequence of one stream.

The headers are the evidence, and all of it: what is on record afterwards rests on no word of the
member that filed them (exchange/ledger/SPEC.md, section 9).
"""

from exchange.envelope.open import VerifiedHeader, verify_header
from exchange.errors import BundleRefused
from exchange.model import acts
from exchange.model.text import Text
from exchange.registry import busrules, facts
from exchange.registry.case import Asked, Case, Denied, nothing_there
from exchange.registry.state import Registry


def examine_fork(body: acts.ReportFork, asked: Asked) -> Case | Denied:
    """Two headers that prove each other false, at a lower sequence than what is on record."""
    stream = asked.registry.streams.get(body.stream)
    if stream is None:
        return nothing_there("the stream is unknown", "该流不存在")
    if asked.registry.frontier(body.stream) is not None:
        # Whoever stole the key of a stopped instance can sign anything; anchors decide there.
        why = Text("its instance has stopped: anchors decide", "其实例已停用，以锚点为准")
        return Denied(busrules.STREAM, why)
    try:
        sequence = proven_fork(body, asked.registry)
    except BundleRefused as error:
        return Denied(busrules.HEADER, error.text)
    known = asked.registry.forks.get(body.stream)
    if known is not None and known.sequence <= sequence:
        return nothing_there("the fork is on record already", "该分叉已登记")
    dataset = asked.registry.datasets[stream.dataset]
    related = facts.related_facts(asked.registry, dataset)[1:]
    return Case((asked.question(facts.dataset_facts(dataset), related),))


def proven_fork(body: acts.ReportFork, registry: Registry) -> int:
    """The sequence that has two headers; `BundleRefused` if these do not prove it."""
    public = registry.stream_public(body.stream)
    first, second = (_of_stream(raw, public, body.stream) for raw in (body.first, body.second))
    if first.header.sequence != second.header.sequence or first.hash == second.hash:
        raise _no_proof("sequence")
    return first.header.sequence


def _of_stream(raw: bytes, public: bytes, stream: bytes) -> VerifiedHeader:
    verified = verify_header(raw, public)
    if verified.header.stream != stream:
        raise _no_proof("stream")
    return verified


def _no_proof(failure: str) -> BundleRefused:
    return BundleRefused(
        "these headers are not of one stream and sequence, or are one header",
        "两个包头不属于同一数据流的同一序号，或为同一包头",
        failure=failure,
    )
