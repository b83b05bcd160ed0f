"""The page as a PDF. The only file that knows WeasyPrint; nothing is fetched from anywhere.

Pango and a Chinese font are the system's (deploy/system.sh installs them). Without them there is no
PDF and an error that says what to install: a report with empty boxes for characters is worse.
"""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from exchange.errors import ToolMissing

_PROBE: Final = '<p lang="zh-CN">审计报告</p>'
_LOG: Final = logging.getLogger("weasyprint")


def pdf(page: str) -> bytes:
    """The bytes of the PDF; the same page gives the same bytes on one system.

    Raises `ToolMissing` when Pango or a font for Chinese is missing.
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
