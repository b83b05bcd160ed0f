"""The PDF holds the page's words in fonts of its own; without a Chinese font there is none."""

import io
import sys
from typing import Any

import pytest
from pypdf import PdfReader
from weasyprint.urls import FatalURLFetchingError

from exchange.audit import reportpdf
from exchange.audit.reportpage import render
from exchange.errors import ToolMissing
from tests.audit.reported import busy, data_of, signed_head


def test_the_pdf_says_what_the_page_says_in_its_own_fonts() -> None:
    world = busy().world
    made = reportpdf.pdf(render(data_of(world, "civil", signed_head(world))[0]))
    reader = PdfReader(io.BytesIO(made))
    text = "".join(page.extract_text() for page in reader.pages)
    for words in (
        "数据共享审计报告",
        "Report on the Sharing of Data",
        "有密钥无回执",
        world.pin.hex(),
    ):
        assert words in text.replace("\n", "")
    assert reader.metadata is not None
    assert "数据共享审计报告" in (reader.metadata.title or "")
    for page in reader.pages:
        resources: Any = page["/Resources"]
        for font in resources["/Font"].values():
            descendant = font.get_object()["/DescendantFonts"][0].get_object()
            assert "/FontFile2" in descendant["/FontDescriptor"].get_object()
            assert "+" in descendant["/BaseFont"]
    assert len(made) < 400_000


def test_the_same_page_gives_the_same_pdf() -> None:
    page = "<title>审计</title><p>数据共享 audit</p>"
    assert reportpdf.pdf(page) == reportpdf.pdf(page)


@pytest.mark.parametrize("address", ["file:///etc/hostname", "http://localhost/a", "data:,a"])
def test_nothing_is_fetched_from_anywhere(address: str) -> None:
    with pytest.raises(FatalURLFetchingError):
        reportpdf.pdf(f'<p>审计<img src="{address}"></p>')


def test_without_a_font_for_chinese_there_is_no_pdf(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reportpdf, "_PROBE", "<p>\U000f1234</p>")
    with pytest.raises(ToolMissing) as caught:
        reportpdf.pdf("<p>审计</p>")
    assert "fonts-wqy-microhei" in caught.value.remedy.en


def test_a_rare_character_that_no_font_has_is_named_instead_of_a_box() -> None:
    with pytest.raises(ToolMissing) as caught:
        reportpdf.pdf("<p>审计 \U000f1234\U000f1234 \U000f5678</p>")
    assert "(U+F1234)" in caught.value.text.en
    assert "(U+F5678)" in caught.value.text.en
    assert "--no-pdf" in caught.value.remedy.en


def test_without_pango_there_is_no_pdf(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str, *_: object, **__: object) -> object:
        raise OSError(f"cannot load library for {name}")

    monkeypatch.delitem(sys.modules, "weasyprint")
    monkeypatch.setattr("builtins.__import__", broken)
    with pytest.raises(ToolMissing) as caught:
        reportpdf.pdf("<p>审计</p>")
    assert "libpango-1.0-0" in caught.value.remedy.en
