"""What the national guide (发改高技〔2017〕1272号) says of codes, formats and modes. Pure.

A resource code is 类 (1 digit), 项 (2), 目 (3), 细目 (any number of digits), then ``/`` and the
顺序码: ``307001/000001``. A format is one of six classes, named by the class or by a format of it
("电子表格/xlsx", "CSV"); what exchanges as files does not exchange as tables, and the reverse.
"""

import re
from typing import Final

from exchange.model.acttypes import Mode

_CODE: Final = re.compile(r"[0-9][0-9]{2}[0-9]{3}[0-9]*/[0-9]+")

_FILES: Final = ("电子文件", "电子表格", "图形图像", "流媒体")
_FILE_FORMATS: Final = re.compile(
    "ofd|wps|xml|txt|docx?|html|pdf|pptx?|et|csv|xlsx?|jsonl?|jpe?g|png|gif|bmp|tiff?|swf|rm|mpg"
    "|mp4|zip|shp"
)
_DATABASES: Final = ("数据库",)
_DATABASE_FORMATS: Final = re.compile(
    "access|dbf|dbase|sybase|oracle|sqlserver|db2|mysql|postgresql|sqlite|dm|kingbase(es)?|gaussdb"
    "|oceanbase|达梦|人大金仓"
)
_WORDS: Final = re.compile(r"[\s/／:：,，、;；()（）]+")


def code_valid(code: str) -> bool:
    """Whether ``code`` is a resource code (信息资源代码) in the guide's form."""
    return _CODE.fullmatch(code) is not None


def modes_of(form: str) -> tuple[Mode, ...]:
    """The modes that a format allows: files by file, databases by table or API, others by any."""
    words = [word.casefold() for word in _WORDS.split(form) if word]
    if form.startswith(_DATABASES) or any(map(_DATABASE_FORMATS.fullmatch, words)):
        return ("table", "api")
    if form.startswith(_FILES) or any(map(_FILE_FORMATS.fullmatch, words)):
        return ("file",)
    return ("table", "api", "file")


def mode_fits(form: str, mode: Mode) -> bool:
    """Whether a format may be exchanged so; an unstated mode is the format's own (CAT-03)."""
    return not mode or mode in modes_of(form)
