"""The help of every command in Chinese, by its English sentence."""

from typing import Final

HELP: Final[dict[str, str]] = {}
