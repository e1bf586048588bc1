"""Sections out of headings: each goes on up to the next heading that is not deeper."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.knowledge.domain.documents import Section, Span

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_TITLE_CHARS: Final = 300


def sections_of(headings: Sequence[tuple[int, int, str]], end: int) -> tuple[Section, ...]:
    """Return the sections of headings, which are places, levels and titles in the order of the text."""
    ends = [end] * len(headings)
    open_: list[int] = []
    for index, (start, level, _) in enumerate(headings):
        while open_ and headings[open_[-1]][1] >= level:
            ends[open_.pop()] = start
        open_.append(index)
    return tuple(
        Section(span=Span(start=start, end=behind), level=level, title=title[:MAX_TITLE_CHARS])
        for (start, level, title), behind in zip(headings, ends, strict=True)
    )
