"""Where each policy of a Cedar file stands, since Cedar's parser numbers policies and forgets their lines."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

# https://docs.cedarpolicy.com/policies/syntax-grammar.html: comments run to the end of the line, strings may hold
# anything behind a backslash, and a semicolon outside both ends a policy and nothing else.
_TOKEN: Final = re.compile(r'//[^\n]*|"(?:[^"\\]|\\.)*"|;|\s+|[^\s";/]+|.', re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One policy or template: its own text, without the comments above it, and the line from 1 on which it begins."""

    line: int
    text: str


def statements(text: str) -> tuple[Statement, ...]:
    """Return the policies of a file in their order; what follows the last semicolon is one too, if it says anything.

    The text need not be valid: the n-th statement of a valid one is the policy that Cedar calls ``policy<n>``.
    """
    found: list[Statement] = []
    start: int | None = None
    for token in _TOKEN.finditer(text):
        written = token.group()
        if start is None and not written.isspace() and not written.startswith("//"):
            start = token.start()
        if written == ";" and start is not None:
            found.append(_statement(text, start, token.end()))
            start = None
    if start is not None:
        found.append(_statement(text, start, len(text)))
    return tuple(found)


def _statement(text: str, start: int, end: int) -> Statement:
    return Statement(line=text.count("\n", 0, start) + 1, text=text[start:end].rstrip())
