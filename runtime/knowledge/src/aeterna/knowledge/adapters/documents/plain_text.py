"""Reads plain text: paragraphs between blank lines, and the addresses in it."""

from __future__ import annotations

import re
from itertools import islice
from typing import Final

from aeterna.knowledge.adapters.documents.outlines import MAX_TITLE_CHARS
from aeterna.knowledge.domain.documents import Link, Parsed, Span

MEDIA_TYPE: Final = "text/plain"
MAX_ADDRESSES: Final = 100_000
"""Those behind them are text as any other: a contribution has far fewer links than that."""
_ADDRESS: Final = re.compile(r"https?://[^\s<>()\[\]\"'`|]{1,2000}")
_TRAILING: Final = ".,;:!?*_~"


def read_plain_text(text: str, name: str) -> Parsed:
    """Return what was read; its title is its name, since nothing else of it says that it is one."""
    links: list[Link] = []
    for found in islice(_ADDRESS.finditer(text), MAX_ADDRESSES):
        target = found[0].rstrip(_TRAILING)
        links.append(Link(span=Span(start=found.start(), end=found.start() + len(target)), target=target, text=""))
    return Parsed(
        media_type=MEDIA_TYPE,
        title=name[:MAX_TITLE_CHARS],
        text=text,
        links=tuple(links),
        markup=tuple(link.span for link in links),
    )
