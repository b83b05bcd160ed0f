"""The page as a PDF. The only file that knows WeasyPrint; nothing is fetched from anywhere.

Pango and a Chinese font are the system's (deploy/system.sh installs them). Without them there is no
PDF and an error that says what to install: a report with empty boxes for characters is worse.
"""

import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from exchange.errors import ToolMissing

_PROBE: Final = '<p lang="zh-CN">审计报告</p>'
_CODE: Final = re.compile(r"\(U\+([0-9A-F]{4,6})\)")
"""A character that WeasyPrint found no glyph for, as its remarks name it."""
_LOG: Final = logging.getLogger("weasyprint")


def pdf(page: str) -> bytes:
    """The bytes of the PDF; the same page gives the same bytes on one system.

    Raises `ToolMissing` when Pango, a font for Chinese, or one for a character of the page is
    missing.
    """
    weasyprint = _weasyprint()
    nowhere = weasyprint.URLFetcher(allowed_protocols=("none",), fail_on_errors=True)
    with _remarks() as remarks, warnings.catch_warnings():
        # WeasyPrint leaves the colour profile's file for the collector to close.
        warnings.simplefilter("ignore", ResourceWarning)
        weasyprint.HTML(string=_PROBE, url_fetcher=nowhere).write_pdf()
        if remarks:
            raise _missing("fonts-wqy-microhei")
        html = weasyprint.HTML(string=page, url_fetcher=nowhere)
        made: bytes = html.write_pdf(pdf_variant="pdf/a-3u")
        lacking = [one for remark in remarks for one in _CODE.findall(remark)]
    if lacking:
        raise _no_glyph(lacking)
    return made


def _weasyprint() -> Any:  # noqa: ANN401 - it has no types
    try:
        import weasyprint  # noqa: PLC0415 - without Pango its import fails
    except OSError:
        raise _missing("libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0") from None
    return weasyprint


@contextmanager
def _remarks() -> Iterator[list[str]]:
    """What WeasyPrint remarks meanwhile, a character without glyph for instance."""
    remarks: list[str] = []

    class Keeping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            remarks.append(record.getMessage())

    keeping = Keeping(logging.WARNING)
    _LOG.addHandler(keeping)
    try:
        yield remarks
    finally:
        _LOG.removeHandler(keeping)


def _no_glyph(codes: list[str]) -> ToolMissing:
    named = ", ".join(f"{chr(int(code, 16))} (U+{code})" for code in sorted(set(codes))[:8])
    return ToolMissing(
        f"the PDF cannot be made: no font of this system has {named}",
        f"无法生成 PDF：本机字体均无 {named}",
        remedy=(
            "install a font that has them (Debian: apt-get install fonts-noto-cjk"
            " fonts-hanazono), or write HTML only: --no-pdf",
            "请安装含有这些字的字体（Debian：apt-get install fonts-noto-cjk fonts-hanazono），"
            "或仅生成 HTML：--no-pdf",
        ),
        failure="pdf",
    )


def _missing(packages: str) -> ToolMissing:
    return ToolMissing(
        "the PDF cannot be made: this system lacks Pango or a font for Chinese",
        "无法生成 PDF：本机缺少 Pango 或中文字体",
        remedy=(
            f"install them (Debian: apt-get install {packages}), or write HTML only: --no-pdf",
            f"请安装（Debian：apt-get install {packages}），或仅生成 HTML：--no-pdf",
        ),
        failure="pdf",
    )
