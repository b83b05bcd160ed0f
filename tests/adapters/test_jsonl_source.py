"""JSON Lines: values keep their types; a bad line is named and skipped."""

import gzip
import io
from pathlib import Path
from typing import Any

import pytest

from adapters.jsonl_source import LINE_BYTES_MAX, JsonLinesSource


def read(raw: bytes, *, records_max: int = 100, **options: Any) -> tuple[list[Any], list[int]]:
    """(batches, lines skipped) of a whole file."""
    source = JsonLinesSource(io.BytesIO(raw), **options)
    batches = list(source.batches(records_max))
    return batches, [bad.line for bad in source.take_rejected()]


def test_values_keep_their_json_types() -> None:
    batches, bad = read('\ufeff{"a":"01","b":1,"c":true,"d":null}\n'.encode())
    assert batches == [(1, {"a": ["01"], "b": [1], "c": [True], "d": [None]})]
    assert bad == []


def test_names_that_a_record_lacks_are_none() -> None:
    batches, _ = read(b'{"a":1}\n{"b":2}\n{"a":3,"b":4,"c":5}\n')
    assert batches == [(1, {"a": [1, None, 3], "b": [None, 2, 4], "c": [None, None, 5]})]


def test_a_name_that_appears_late_is_none_before() -> None:
    batches, _ = read(b'{"a":1}\n' * 2001 + b'{"a":2,"b":1}\n', records_max=5000)
    ((_, columns),) = batches
    assert columns["b"] == [None] * 2001 + [1]


def test_bad_lines_are_skipped_and_named_and_the_rest_goes_on() -> None:
    raw = b'{"a":1}\n[1]\n\n{"a":\n\xff\n{"b":1}\n{"a":NaN}\n{"a":2}'
    batches, bad = read(raw, fields=["a"])
    assert batches == [([1, 8], {"a": [1, 2]})]
    assert bad == [2, 4, 5, 6, 7]


def test_a_name_that_stands_twice_is_told_and_a_colon_in_a_value_is_none() -> None:
    twice = [b'{"a":1,"a":2}', b'{"a":"x:y","b":{"c":1,"c":2}}', b'{"\\u0061":1,"a":"::"}']
    fine = [b'{"a":"10:00:00"}', b'{"a":{"c":{"c":1}}}', b'{"a":[{"c":1},{"c":2}]}']
    deep = b'{"a":' + b'{"a":' * 1_010 + b"1" + b"}" * 1_011
    batches, bad = read(b"\n".join([*twice, *fine, deep]))
    assert bad == [1, 2, 3]
    ((lines, _),) = batches
    assert lines == 4


def test_a_skipped_line_is_told_once_and_never_quoted() -> None:
    source = JsonLinesSource(io.BytesIO(b'{"secret": 7}\nsecret\n"secret"\n'), fields=["a"])
    assert list(source.batches(5)) == []
    told = source.take_rejected()
    assert len(told) == 3
    assert "secret" not in repr(told)
    assert all(one.reason[1] and all(one.remedy) for one in told)
    assert source.take_rejected() == []


@pytest.mark.parametrize("end", [b"\n", b""])
def test_a_line_that_is_too_long_is_skipped_unread(end: bytes) -> None:
    long = b'{"a":"' + b"x" * (2 * LINE_BYTES_MAX) + b'"}'
    after = b'{"a":1}\n' if end else b""
    batches, bad = read(b'{"a":0}\n' + long + end + after)
    assert bad == [2]
    assert [columns["a"] for _, columns in batches] == ([[0, 1]] if end else [[0]])


def test_the_operation_may_stand_beside_the_fields() -> None:
    batches, bad = read(b'{"a":1}\n{"a":2,"_operation":"delete"}\n', fields=["a", "b"])
    assert batches == [(1, {"a": [1, 2], "b": [None, None], "_operation": [None, "delete"]})]
    assert bad == []


def test_batches_have_the_size_asked_for() -> None:
    batches, _ = read(b'{"a":1}\n' * 7, records_max=3)
    assert [at for at, _ in batches] == [1, 4, 7]


def test_an_empty_file_has_no_records(tmp_path: Path) -> None:
    path = tmp_path / "none.jsonl.gz"
    path.write_bytes(gzip.compress(b""))
    assert list(JsonLinesSource(path).batches(5)) == []


def test_a_zipped_file_is_read_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "some.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"a":1}\n'))
    assert list(JsonLinesSource(path).batches(5)) == [(1, {"a": [1]})]
