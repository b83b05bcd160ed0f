"""The help of every command in Chinese, by its English sentence; help.zh.txt holds the pairs."""

from importlib.resources import files


def help_in_chinese() -> dict[str, str]:
    """English sentence → Chinese sentence."""
    text = (files("exchange.cli") / "help.zh.txt").read_text("utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    plain = [line.replace("\\n", "\n") for line in lines]
    return dict(zip(plain[::2], plain[1::2], strict=True))
