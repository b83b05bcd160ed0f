"""CSV as departments really write it: every value arrives as text, every fault has its line."""

import gzip
import io
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from adapters.csv_source import CsvSource
from adapters.errors import SourceUnreadable
from adapters.recordstream import RUN_BYTES_MAX

VILLAGES = Path("exchange/cli/demodata/villages-33.csv.gz")


def read(
    raw: bytes, *, records_max: int = 100, **options: Any
) -> tuple[list[int], dict[str, list[Any]], list[int]]:
    """(line of each record, columns, lines skipped) of a whole file."""
    source = CsvSource(io.BytesIO(raw), **options)
    lines: list[int] = []
    columns: dict[str, list[Any]] = {}
    for at, batch in source.batches(records_max):
        count = len(next(iter(batch.values())))
        assert 0 < count <= records_max
        lines += range(at, at + count) if isinstance(at, int) else at
        for name, values in batch.items():
            columns.setdefault(name, []).extend(values)
    return lines, columns, [bad.line for bad in source.take_rejected()]


def test_values_stay_text_and_empty_cells_are_none() -> None:
    lines, columns, bad = read('代码,名称,n\n01,"甲,乙",\n"",丙,1.50\n'.encode())
    assert lines == [2, 3]
    assert columns == {"代码": ["01", None], "名称": ["甲,乙", "丙"], "n": [None, "1.50"]}
    assert bad == []


@pytest.mark.parametrize(
    "raw",
    [
        "姓名,年龄\n张三,7\n".encode(),
        "姓名,年龄\n张三,7".encode(),
        "姓名,年龄\r\n张三,7\r\n".encode(),
        "\ufeff姓名,年龄\n张三,7\n".encode(),
        "姓名,年龄\n张三,7\n".encode("gb18030"),
        '\ufeff姓名 , 年龄\n"张三",7\n'.encode(),
        gzip.compress("姓名,年龄\n张三,7\n".encode("gb18030"), mtime=0),
    ],
)
def test_what_spreadsheets_write_is_understood(raw: bytes, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(raw)
    batches = list(CsvSource(path).batches(10))
    assert batches == [(2, {"姓名": ["张三"], "年龄": ["7"]})]


def test_the_encoding_is_found_behind_many_ascii_lines() -> None:
    raw = b"a,b\n" + b"1,2\n" * 600_000 + "张,三\n".encode("gb18030")
    _, columns, _ = read(raw, records_max=50_000)
    assert columns["a"][-1] == "张"
    assert len(columns["a"]) == 600_001


def test_lines_are_exact_behind_quoted_line_breaks_and_blank_lines() -> None:
    raw = b'a,b\n1,"x\ny"\n2,z\n\n3,"p\n\nq"\r\n4,r\n'
    lines, columns, _ = read(raw)
    assert lines == [2, 4, 6, 9]
    assert columns == {"a": ["1", "2", "3", "4"], "b": ["x\ny", "z", "p\n\nq", "r"]}


def test_a_ragged_row_is_skipped_and_named_and_the_rest_goes_on() -> None:
    lines, columns, bad = read(b"a,b\n1,2\n3\n4,5,6\n7,8\n,\n")
    assert lines == [2, 5, 6]
    assert columns == {"a": ["1", "7", None], "b": ["2", "8", None]}
    assert bad == [3, 4]


def test_a_skipped_row_is_told_once_and_never_quoted() -> None:
    source = CsvSource(io.BytesIO(b"a,b\nsecret\n"))
    assert list(source.batches(5)) == []
    (bad,) = source.take_rejected()
    assert "secret" not in repr(bad)
    assert bad.reason == ("1 values where the header has 2", "有 1 个值，而表头有 2 列")
    assert source.take_rejected() == []


def test_batches_have_the_size_asked_for_whatever_the_file() -> None:
    raw = b"a\n" + b"".join(b"%d\n" % row for row in range(1000))
    sizes = [len(batch["a"]) for _, batch in CsvSource(io.BytesIO(raw)).batches(300)]
    assert sizes == [300, 300, 300, 100]
    first = [at for at, _ in CsvSource(io.BytesIO(raw)).batches(300)]
    assert first == [2, 302, 602, 902]


def test_batches_of_long_records_close_by_bytes() -> None:
    raw = b"a\n" + (b"x" * 100_000 + b"\n") * 200
    sizes = [len(batch["a"]) for _, batch in CsvSource(io.BytesIO(raw)).batches(20_000)]
    assert sum(sizes) == 200
    assert max(sizes) <= 100


def test_quotation_marks_inside_a_plain_value_are_kept() -> None:
    lines, columns, _ = read(b'a,b\n1,5" pipe\n2,6" pipe\n3,"4 ""x"""\n')
    assert lines == [2, 3, 4]
    assert columns["b"] == ['5" pipe', '6" pipe', '4 "x"']


def test_one_column_with_a_carriage_return_inside_is_not_two_rows() -> None:
    _, columns, bad = read(b'a,b\n1,"x\ry"\n')
    assert columns == {"a": ["1"], "b": ["x\ry"]}
    assert bad == []


def test_the_operation_column_may_stand_beside_the_fields() -> None:
    _, columns, _ = read(b"a,_operation\n1,delete\n", fields=["a"])
    assert columns == {"a": ["1"], "_operation": ["delete"]}


def test_a_single_field_may_be_named_like_anything() -> None:
    assert read(b"a;b\n1\n", fields=["a;b"])[1] == {"a;b": ["1"]}
    assert read(b"a;b\n1;2\n", delimiter=";")[1] == {"a": ["1"], "b": ["2"]}


@pytest.mark.parametrize(
    ("raw", "line", "failure", "says"),
    [
        (b"", 0, "empty", "the file is empty"),
        (b"\n1\n", 1, "header", "no column names"),
        (b"a,\n1,2\n", 1, "header", "column 2 has no name"),
        (b"a,a\n1,2\n", 1, "header", "columns 1 and 2 have the same name"),
        (b'"a\nb",c\n1,2\n', 1, "header", "quotation mark is not closed"),
        (b"a;b\n1;2\n", 1, "delimiter", "separated by ';'"),
        (b"a\tb\n1\t2\n", 1, "delimiter", "separated by tab"),
        (b"a,c\n1,2\n", 1, "unknown-column", "column 2 is not named as in the contract"),
        (b"a,b\r1,2\r3,4", 1, "line-ends", "bare carriage return"),
        (b"a,b\n1,2\n\x00,4\n", 3, "zero-byte", "zero byte"),
        (b"a,b\n1,2\n3,\xff\n", 3, "encoding", "UTF-8 / GB18030"),
        ("a,b\n1,张\n".encode() + b"2,3\n" * 500_000 + b"2,\xff", 500_003, "encoding", "UTF-8"),
        ("a,b\n".encode("utf-16"), 1, "encoding", "UTF-16"),
        (b'a,b\n1,2\n3,"4\n5,6\n', 3, "unclosed-quote", "never closed"),
        (b'a,b\n1,"2"x\n3\n', 2, "stray-quote", "stray quotation mark"),
    ],
)
def test_what_makes_a_file_doubtful_is_named_by_line(
    raw: bytes, line: int, failure: str, says: str
) -> None:
    with pytest.raises(SourceUnreadable) as caught:
        read(raw, fields=["a", "b"])
    error = caught.value
    assert error.failure == failure
    assert says in error.text[0]
    assert not line or error.text[0].startswith(f"line {line}:")
    assert not line or error.text[1].startswith(f"第 {line} 行")
    assert all(error.remedy)
    assert error.exit_code == 2


def test_a_file_without_a_header_does_not_give_its_first_record_away() -> None:
    with pytest.raises(SourceUnreadable) as caught:
        read("11010519491231002X,张三\n".encode(), fields=["id", "name"])
    told = str(caught.value) + repr(caught.value) + str(caught.value.text)
    assert "1101" not in told
    assert "张三" not in told
    assert "not in the header yet: id, name" in told
    assert "add the header line" in caught.value.remedy[0]


def test_a_torn_gzip_says_so(tmp_path: Path) -> None:
    path = tmp_path / "torn.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n" + bytes(range(48, 58)) * 9000)[:-20])
    with pytest.raises(SourceUnreadable) as caught:
        list(CsvSource(path).batches(10))
    assert caught.value.failure == "torn-gzip"


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match="No such file"):
        CsvSource(tmp_path / "none.csv")


def test_a_quotation_mark_that_nobody_closes_costs_bounded_memory() -> None:
    class Endless(io.RawIOBase):
        """Newlines for ever, inside one quoted value."""

        begun = False

        def readable(self) -> bool:
            return True

        def read(self, size: int = -1) -> bytes:
            head, self.begun = (b"" if self.begun else b'a,b\n1,"'), True
            return head + b"\n" * (size - len(head))

    tracemalloc.start()
    try:
        with pytest.raises(SourceUnreadable, match="never closed"):
            list(CsvSource(Endless()).batches(10))  # type: ignore[arg-type]
        assert tracemalloc.get_traced_memory()[1] < 4 * RUN_BYTES_MAX
    finally:
        tracemalloc.stop()


def test_a_record_of_three_megabytes_passes_whole_for_the_contract_to_judge() -> None:
    _, columns, _ = read(b'a,b\n1,"' + b"x\n" * (3 << 19) + b'"\n2,y\n')
    assert [len(value) for value in columns["b"]] == [3 << 20, 1]


def test_a_column_that_repeats_few_texts_holds_each_of_them_once() -> None:
    codes: list[str | None] = ["330000", None, "320000", "330000"] * 300
    names = [f"name {number}" for number in range(len(codes))]
    rows = [f"{code or ''},{name}" for code, name in zip(codes, names, strict=True)]
    (batch,) = CsvSource(io.BytesIO("\n".join(["code,name", *rows]).encode())).batches(10_000)
    assert batch == (2, {"code": codes, "name": names})
    held: list[str | None] = batch[1]["code"]
    assert len(set(map(id, held))) <= 6, "once in each run of the file"


def test_the_real_register_is_read_whole() -> None:
    lines, columns = 0, 0
    for at, batch in CsvSource(VILLAGES).batches(20_000):
        assert isinstance(at, int)
        lines, columns = at, columns + len(batch["code"])
    assert (lines, columns) == (20_002, 25_547)


def test_a_record_without_end_is_called_large_and_no_quotation_mark_is_blamed() -> None:
    endless = io.BytesIO(b"a,b\n1,2\n" + b"x" * (RUN_BYTES_MAX + (1 << 20)))
    with pytest.raises(SourceUnreadable, match=r"^line 3: a record of more than 32 MiB") as caught:
        list(CsvSource(endless).batches(10))
    assert caught.value.failure == "record-large"
