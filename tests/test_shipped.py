"""What the program needs from deploy/ is found in a work tree and in an installed package."""

import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

from exchange import shipped
from exchange.errors import ToolMissing

TOP = Path(__file__).parents[1]


def test_a_work_tree_uses_its_own_deploy_folder() -> None:
    assert shipped.deploy_file("kafka/pom.xml") == TOP / "deploy" / "kafka" / "pom.xml"


def test_an_installed_package_uses_the_copy_inside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "exchange" / "_deploy" / "kafka" / "pom.xml"
    copy.parent.mkdir(parents=True)
    copy.touch()
    monkeypatch.setattr(shipped, "_PACKAGE", tmp_path / "exchange")
    assert shipped.deploy_file("kafka/pom.xml") == copy


def test_a_broken_installation_says_so() -> None:
    with pytest.raises(ToolMissing) as caught:
        shipped.deploy_file("kafka/missing.xml")
    assert "deploy/kafka/missing.xml" in caught.value.text.en


def test_the_wheel_carries_every_data_file_of_the_packages(tmp_path: Path) -> None:
    (wheel,) = WheelBuilder(str(TOP)).build(directory=str(tmp_path), versions=["standard"])
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        path.relative_to(TOP).as_posix()
        for package in ("exchange", "keys", "policies", "adapters")
        for path in (TOP / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert wanted <= names
    assert "exchange/_deploy/kafka/pom.xml" in names
