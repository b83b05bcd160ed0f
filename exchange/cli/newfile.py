"""A file that a command makes: new, never in place of another."""

from pathlib import Path

from exchange.errors import UsageError


def write_new(out: Path, text: str) -> None:
    """``text`` in a new file ``out``; `UsageError` if one stands there that says anything else."""
    try:
        with out.open("x", encoding="utf-8") as target:
            target.write(text)
    except FileExistsError:
        if out.read_text("utf-8", "replace") != text:
            raise UsageError(
                f"{out} exists already",
                f"{out} 已存在",
                remedy=("choose another name with --out, or remove it", "请用 --out 换名或先删除"),
                failure="exists",
            ) from None
