"""A file that a command makes: new, never in place of another."""

from pathlib import Path

from exchange.errors import UsageError


def write_new(out: Path, text: str) -> None:
    """``text`` in a new file ``out``; `UsageError` if one stands there that says anything else.

    Where there is no room for all of it nothing stays, so that the command can be repeated.
    """
    try:
        target = out.open("x", encoding="utf-8")
    except FileExistsError:
        if out.read_text("utf-8", "replace") != text:
            raise UsageError(
                f"{out} exists already",
                f"{out} 已存在",
                remedy=("choose another name, or remove it", "请换名或先删除"),
                failure="exists",
            ) from None
        return
    try:
        with target:
            target.write(text)
    except OSError as error:
        out.unlink(missing_ok=True)
        error.filename = str(out)  # a write does not know the name of its file
        raise
