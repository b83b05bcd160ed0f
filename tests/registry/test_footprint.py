"""The keys of footprints: persisted for ever, so one letter names one table."""

import re
from collections import Counter
from pathlib import Path

SPEC = Path("exchange/ledger/SPEC.md").read_text("utf-8")
SOURCES = ("exchange/registry/footprint.py", "exchange/registry/dutyfootprint.py")


def specified() -> list[str]:
    """The letters of the table of rows in SPEC.md section 8."""
    section = SPEC.partition("\n## 8.")[2].partition("\n| act |")[0]
    return re.findall(r"^\| `([a-z]):", section, re.MULTILINE)


def test_one_letter_names_one_table_and_the_code_uses_those() -> None:
    letters = specified()
    assert [letter for letter, times in Counter(letters).items() if times > 1] == []
    code = "".join(Path(source).read_text("utf-8") for source in SOURCES)
    used = re.findall(r'f?"([a-z]):[{a-z]', code) + re.findall(r'_key\("([a-z])"', code)
    assert set(used) == set(letters)
