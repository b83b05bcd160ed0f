"""A contract has one meaning and one hash; whatever is wrong with it is named by file and line."""

from pathlib import Path
from typing import Any

import pytest

from exchange.errors import ContractInvalid, InputUnreadable
from exchange.limits import CONTRACT_BYTES_MAX
from exchange.model import contract as contract_module
from exchange.model.contract import Contract, ContractField, Region, Titles
from exchange.model.contracterrors import KEYS
from keys import cbor
from tests.model.contracts import EVERY_TYPE, every_type


def test_a_contract_survives_encoding_and_keeps_its_hash() -> None:
    contract = every_type()
    decoded = Contract.decode(contract.encoded)
    assert decoded == contract
    assert decoded.hash == contract.hash
    assert len(contract.hash) == 32


def test_the_hash_of_a_contract_is_for_ever() -> None:
    # Frozen: a change here means that every grant on the ledger names another contract.
    assert (
        every_type().hash.hex()
        == "255b5efd9d244202dd694442956a103a7fd1337f3d0cef614a009957802be9c8"
    )


def test_comments_and_layout_do_not_change_the_hash() -> None:
    told = EVERY_TYPE.replace("dataset:", "# a comment\ndataset:").replace(
        'values: {"1": 男, "2": 女}', 'values:\n      "1": 男\n      "2": 女'
    )
    assert Contract.from_yaml(told.encode()).hash == every_type().hash


def test_fields_of_one_level_form_a_section_and_the_key_lies_in_one() -> None:
    contract = every_type()
    assert [(part.level, part.fields) for part in contract.sections] == [
        (1, ("code", "name", "count", "open", "company")),
        (2, ("day", "at", "sex")),
        (3, ("pay", "person")),
    ]
    assert contract.key_section.level == 1
    assert contract.section_of("pay").fields == ("pay", "person")
    assert contract.fields_of(4) == ()
    assert contract.names[0] == "code"


def test_a_stream_takes_the_leading_digits_of_the_region() -> None:
    contract = every_type()
    assert contract.region_digits == len("3301")
    everywhere = contract.model_copy(update={"region": None})
    assert everywhere.region_digits == 0


def test_a_dataset_without_regions_travels_in_one_stream() -> None:
    told = EVERY_TYPE.replace("region: {field: code, level: city}\n", "")
    contract = Contract.from_yaml(told.encode())
    assert contract.region_digits == 0
    assert Contract.decode(contract.encoded) == contract


def test_a_name_that_the_contract_lacks_is_refused() -> None:
    with pytest.raises(ContractInvalid) as caught:
        every_type().section_of("wages")
    assert caught.value.failure == "no-such-field"


def test_code_lists_may_stand_without_labels() -> None:
    told = EVERY_TYPE.replace('values: {"1": 男, "2": 女}', 'values: ["1", "2"]')
    assert Contract.from_yaml(told.encode()).field("sex").values == {"1": "", "2": ""}


@pytest.mark.parametrize(
    ("was", "becomes", "line", "says"),
    [
        ("cycle: yearly", "cycle: fortnightly", 20, "a cycle is one of"),
        ("cycle: yearly", "bicycle: yearly", 20, "did you mean 'cycle'?"),
        ("cycle: yearly", "zzz: yearly", 20, "known keys: dataset, title"),
        ("retention_days: 365", "retention_days: '365'", 21, "a whole number is expected"),
        ("retention_days: 365", "retention_days: 0", 21, "at least 1 is expected"),
        ("type: date,", "type: day,", 9, "is one of: text, integer"),
        ("level: 2}", "level: 5}", 9, "at most 4 is expected"),
        ("name: day", "name: _day", 9, "a field name has letters"),
        ("name: day", f"name: {'日' * 21}", 9, "at most 60 bytes"),
        ("name: day", "name: no", 9, "text is expected"),
        ("name: day", "name: Code", 3, "stands twice (upper and lower case count as one)"),
        ("length: 10}", "length: 10, lengthy: 1}", 5, "did you mean 'length'?"),
        ("type: date, level: 2", "type: date, level: 2, length: 3", 9, "belongs to type text"),
        (", digits: 6, scale: 2", "", 7, "needs 'digits' and 'scale'"),
        ("digits: 6, scale: 2", "digits: 2, scale: 6", 7, "'scale' is larger than 'digits'"),
        ('values: {"1": 男, "2": 女}', "title: {zh: 性别}", 11, "type code needs 'values'"),
        ('values: {"1": 男, "2": 女}', 'values: ["1", "1"]', 14, "code '1' stands twice"),
        ('values: {"1": 男, "2": 女}', "values: [1, 2]", 14, "put it in quotes ('01')"),
        ('values: {"1": 男, "2": 女}', "values: 1", 14, "a mapping is expected"),
        ("key: [code]", "key: [kode]", 17, "key names no field: 'kode'"),
        ("key: [code]", "key: [code, code]", 17, "a key field stands twice"),
        ("key: [code]", "key: [code, pay]", 17, "must lie in one section"),
        ("key: [code]", "key: [code, open]", 17, "must be 'required: true'"),
        ("key: [code]", "key: code", 17, "a list is expected"),
        ("region: {field: code", "region: {field: name", 18, "must have type region"),
        ("subject: person", "subject: nobody", 19, "subject names no field"),
        ("dataset: every-type", "dataset: Every_Type", 1, "dataset"),
        ("dataset: every-type", "", 2, "dataset is missing"),
        ("title: {zh: 样例", "title: &a {zh: 样例", 2, "anchors (&) and aliases (*)"),
        ("title: {zh: 样例", "title: {{zh: 样例", 3, "not YAML"),
        ("title: {zh: 样例", "title: [[[[[[[[[{zh: 样例", 2, "nested deeper"),
        ("title: {zh: 样例", "title: {[a]: 样例", 2, "a key that is not text"),
        ("cycle: yearly", "cycle: yearly\ncycle: daily", 21, "'cycle' stands twice"),
        ("cycle: yearly", "cycle: 2024-13-45", 20, "does not exist"),
        ("cycle: yearly", "cycle: !!python/name:os.system", 20, "not YAML"),
    ],
)
def test_a_fault_is_named_by_file_line_and_remedy(
    was: str, becomes: str, line: int, says: str
) -> None:
    assert was in EVERY_TYPE
    with pytest.raises(ContractInvalid) as caught:
        Contract.from_yaml(EVERY_TYPE.replace(was, becomes, 1).encode(), name="v.yaml")
    error = caught.value
    assert any(
        told.startswith(f"v.yaml:{line}: ") and says in told for told in error.text.en.split("\n")
    ), error.text.en
    assert error.text.zh.startswith("v.yaml:")
    assert error.remedy.en
    assert error.remedy.zh
    assert error.exit_code == 2


@pytest.mark.parametrize(
    ("raw", "failure"),
    [
        (b"", "contract"),
        (b"[]", "contract"),
        (b"a: 1\n---\nb: 2\n", "not-yaml"),
        (b"a: \x00", "not-yaml"),
        (b"dataset: x\n\xff: 1", "not-utf-8"),
        (b"#" * (CONTRACT_BYTES_MAX + 1), "too-large"),
    ],
)
def test_what_is_no_contract_at_all_has_its_class(raw: bytes, failure: str) -> None:
    with pytest.raises(ContractInvalid) as caught:
        Contract.from_yaml(raw)
    assert caught.value.failure == failure


def test_many_faults_are_shown_ten_at_a_time() -> None:
    fields = "\n".join(f"  - {{name: f{place}}}" for place in range(20))
    with pytest.raises(ContractInvalid) as caught:
        Contract.from_yaml(f"fields:\n{fields}\n".encode())
    assert len(caught.value.text.en.splitlines()) == 11
    assert caught.value.text.en.endswith("more")


def test_a_contract_that_would_not_fit_into_an_act_is_refused() -> None:
    # An unquoted code takes two bytes more in CBOR than in YAML: a short file, a long contract.
    codes = ",".join(f"a{place:03}" for place in range(900))
    many = "\n".join(
        f"  - {{name: f{place}, type: code, level: 1, values: [{codes}]}}" for place in range(10)
    )
    told = EVERY_TYPE.replace("key: [code]", f"{many}\nkey: [code]")
    assert len(told.encode()) < CONTRACT_BYTES_MAX
    with pytest.raises(ContractInvalid) as caught:
        Contract.from_yaml(told.encode())
    assert caught.value.failure == "too-large"


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputUnreadable, match="No such file"):
        Contract.from_yaml(tmp_path / "none.yaml")


def test_a_file_is_read_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "every-type.yaml"
    path.write_text(EVERY_TYPE, encoding="utf-8-sig")
    assert Contract.from_yaml(path) == every_type()


def _changed(change: dict[int, Any]) -> bytes:
    body = cbor.decode(every_type().encoded, bytes_max=CONTRACT_BYTES_MAX)
    assert isinstance(body, dict)
    return cbor.encode({key: value for key, value in {**body, **change}.items() if value != "gone"})


@pytest.mark.parametrize(
    ("encoded", "says"),
    [
        (b"\x00", "unknown format"),
        (b"\xff", "no contract"),
        (every_type().encoded + b"\x00", "no contract"),
        (_changed({0: 2}), "unknown format"),
        (_changed({9: 1}), "unknown key"),
        (_changed({1: "gone"}), "no contract"),
        (_changed({3: 1}), "a list is missing"),
        (_changed({3: [1]}), "unknown key"),
        (_changed({2: {}}), ""),
        (_changed({2: {0: ""}}), "not the canonical form"),
        (_changed({8: "365"}), "no contract"),
    ],
)
def test_bytes_that_are_not_the_canonical_form_are_refused(encoded: bytes, says: str) -> None:
    if not says:
        assert Contract.decode(encoded).title == Titles()
        return
    with pytest.raises(ContractInvalid, match=says) as caught:
        Contract.decode(encoded)
    assert caught.value.failure == "contract-malformed"


def test_code_values_must_be_distinct_pairs() -> None:
    body = cbor.decode(every_type().encoded, bytes_max=CONTRACT_BYTES_MAX)
    assert isinstance(body, dict)
    body[3][7][5] = [["1", "男"], ["1", "女"]]
    with pytest.raises(ContractInvalid, match="distinct pairs"):
        Contract.decode(cbor.encode(body))


def test_the_hints_name_exactly_the_keys_of_the_models() -> None:
    assert set(KEYS[""]) == set(Contract.model_fields)
    assert set(KEYS["fields"]) == set(ContractField.model_fields)
    assert set(KEYS["title"]) == set(Titles.model_fields)
    assert set(KEYS["region"]) == set(Region.model_fields)


def test_the_nine_national_cycles_are_known() -> None:
    assert [text.zh for text in contract_module.CYCLES.values()] == [
        "实时", "每日", "每周", "每月", "每季度", "每半年", "每年", "不定期", "不更新",
    ]  # fmt: skip
