"""The coverage floor judges each package by itself and by both figures."""

from tests.coverage_floor import covered, table

SUMMARIES = {
    "keys/a.py": {
        "num_statements": 100,
        "covered_lines": 100,
        "num_branches": 20,
        "covered_branches": 18,
    },
    "exchange/flow/b.py": {
        "num_statements": 10,
        "covered_lines": 10,
        "num_branches": 0,
        "covered_branches": 0,
    },
    "exchange/flowers/c.py": {
        "num_statements": 10,
        "covered_lines": 0,
        "num_branches": 0,
        "covered_branches": 0,
    },
}


def test_many_covered_lines_do_not_hide_missed_branches() -> None:
    keys = covered("keys", SUMMARIES)
    assert keys.percent > 95
    assert keys.branch_percent == 90
    assert not keys.reaches(95)
    assert keys.reaches(90)


def test_a_package_is_its_own_folder_only() -> None:
    flow = covered("exchange/flow", SUMMARIES)
    assert (flow.files, flow.percent, flow.branch_percent) == (1, 100.0, 100.0)
    assert flow.reaches(100)


def test_a_package_without_files_does_not_pass() -> None:
    assert not covered("exchange/missing", SUMMARIES).reaches(0)


def test_the_table_marks_what_is_below() -> None:
    rows = [covered(name, SUMMARIES) for name in ("keys", "exchange/flow")]
    _, keys, flow = table(rows, 95).splitlines()
    assert keys.endswith("below 95 %")
    assert flow.endswith("100.0%")
