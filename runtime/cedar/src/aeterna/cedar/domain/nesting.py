"""How deep a text of Cedar is nested, since its parser calls itself for each level and ends the process, not the call.

Measured with cedarpy 4.12.2 on threads of 8 MB: 700 brackets in each other, or a chain of 20,000 operators, are a
segmentation fault; ``a has b.b.…`` is written out with all that is before each dot, so its cost grows with the square.
"""

from __future__ import annotations

import re
from typing import Final

MAX_BRACKETS: Final = 100
MAX_OPERATORS: Final = 5_000
MAX_DOTS: Final = 50
# A text so short is not deep enough for any harm.
_SHORT: Final = 100
_TOKEN: Final = re.compile(
    r"""(?P<skip>"(?:[^"\\]|\\.)*"|//[^\n\r]*)|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<angle>[<>])"""
    r"""|(?P<dots>(?:\.(?:\s|//[^\n\r]*)*\w+(?:\s|//[^\n\r]*)*)+)|(?P<operator>&&|\|\||::|[+*!-]|\b(?:if|has|in)\b)""",
    re.DOTALL,
)


def too_deep(text: str, *, schema: bool = False) -> str | None:
    """Return what is too deep in one policy, or in a schema, or None when nothing is; the text need not be valid."""
    if len(text) <= _SHORT:
        return None
    deep = operators = 0
    for token in _TOKEN.finditer(text):
        kind, found = token.lastgroup, token[0]
        if kind == "open" or (schema and found == "<"):
            deep += 1
            # An index is a link of a chain, too.
            operators += found == "["
        elif kind == "close" or (schema and found == ">"):
            deep = max(0, deep - 1)
        elif kind == "dots":
            operators += found.count(".")
            if found.count(".") > MAX_DOTS:
                return f"has more than {MAX_DOTS} names in a row with dots between them"
        elif kind == "operator":
            operators += 1
        if deep > MAX_BRACKETS:
            return f"has more than {MAX_BRACKETS} brackets in each other"
        if operators > MAX_OPERATORS and not schema:
            return f"has more than {MAX_OPERATORS} operators"
    return None
