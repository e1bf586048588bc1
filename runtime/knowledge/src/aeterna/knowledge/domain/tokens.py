"""How many tokens a text has, estimated without any model's vocabulary."""

from __future__ import annotations

from typing import Final

_CHARS_A_TOKEN: Final = 4


def tokens_of(text: str) -> int:
    """Return the estimate: one token for four characters of ASCII, and one for each other character.

    English has between 4 and 5 characters a token in the vocabularies in use, code about 3.5, and a character of
    Chinese or Japanese has one token or less. So budgets err on the side of a smaller text, except for dense code.
    """
    wide = sum(character > "\x7f" for character in text)
    return -(-(len(text) - wide) // _CHARS_A_TOKEN) + wide
