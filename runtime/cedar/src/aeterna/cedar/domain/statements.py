"""Where each policy of a Cedar file stands, since Cedar's parser numbers policies and forgets their lines."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

# https://docs.cedarpolicy.com/policies/syntax-grammar.html: comments run to the end of the line, strings may hold
# anything behind a backslash, and a semicolon outside both ends a policy and nothing else. To Cedar a carriage return
# ends a line too: a comment must not swallow what is a policy to Cedar.
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|//[^\n\r]*|;', re.DOTALL)
_NOTHING: Final = re.compile(r"(?:\s|//[^\n\r]*)*")


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
    start, line, counted = 0, 1, 0
    ends = (token.end() for token in _TOKEN.finditer(text) if token[0] == ";")
    for end in (*ends, len(text)):
        # A pattern that may match nothing always matches; what it skips is white space and comments.
        skipped = _NOTHING.match(text, start, end)
        begin = skipped.end() if skipped is not None else start
        if begin < end:
            line += text.count("\n", counted, begin)
            counted = begin
            found.append(Statement(line=line, text=text[begin:end].rstrip()))
        start = end
    return tuple(found)
