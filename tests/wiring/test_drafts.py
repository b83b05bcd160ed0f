"""``exchange contract infer`` on the real register, and on files that teach nothing."""

from pathlib import Path

import pytest

from adapters.errors import SourceUnreadable
from exchange.errors import InputUnreadable
from exchange.model.contract import Contract
from exchange.wiring.drafts import draft_contract

VILLAGES = Path("exchange/cli/demodata/villages-33.csv.gz")


def test_the_real_register_gets_a_contract_it_satisfies() -> None:
    contract = Contract.from_yaml(draft_contract(VILLAGES).encode())
    assert contract.dataset == "villages-33"
    assert contract.key == ("code",)
    assert contract.region is not None
    assert contract.region.field == "code"
    assert [field.type for field in contract.fields] == ["region", "text"] + ["region"] * 4


def test_the_operation_column_is_no_field(tmp_path: Path) -> None:
    path = tmp_path / "some.csv"
    path.write_text("id,_operation\n1,delete\n", encoding="utf-8")
    assert Contract.from_yaml(draft_contract(path).encode()).names == ("id",)


@pytest.mark.parametrize(("content", "error"), [("", SourceUnreadable), ("a,b\n", InputUnreadable)])
def test_a_file_without_records_says_so(
    tmp_path: Path, content: str, error: type[Exception]
) -> None:
    path = tmp_path / "some.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(error):
        draft_contract(path)


def test_json_lines_are_read_as_such_and_no_value_becomes_a_name(tmp_path: Path) -> None:
    path = tmp_path / "visits.jsonl"
    rows = [
        f'{{"number": {n}, "city": "330102", "paid": {n}.5, "open": true, "more": null}}'
        for n in range(20)
    ]
    path.write_text("\n".join(rows), encoding="utf-8")
    contract = Contract.from_yaml(draft_contract(path).encode())
    kinds = {field.name: field.type for field in contract.fields}
    assert kinds == {
        "number": "integer",
        "city": "region",
        "paid": "decimal",
        "open": "boolean",
        "more": "text",
    }
    assert contract.key == ("number",)


def test_another_delimiter_can_be_named(tmp_path: Path) -> None:
    path = tmp_path / "some.csv"
    path.write_text("id;name\n1;a\n2;b\n", encoding="utf-8")
    with pytest.raises(SourceUnreadable, match="separated by ';'"):
        draft_contract(path)
    drafted = draft_contract(path, delimiter=";")
    assert Contract.from_yaml(drafted.encode()).names == ("id", "name")
