"""A citation opened: the cited characters of a document, and some of what stands before and behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aeterna.knowledge.domain.documents import Span

MAX_OPENED_CHARS: Final = 100_000
MAX_CONTEXT_CHARS: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """``text`` is what stands at the span, which ends where the document or `MAX_OPENED_CHARS` do."""

    span: Span
    before: str
    text: str
    after: str


def opened(text: str, span: Span, *, context: int) -> Opened:
    """Open a place of a text, with up to so many characters of context on either side."""
    start = min(span.start, len(text))
    end = min(max(start, span.end), len(text), start + MAX_OPENED_CHARS)
    return Opened(
        span=Span(start=start, end=end),
        before=text[max(0, start - context) : start],
        text=text[start:end],
        after=text[end : end + context],
    )
