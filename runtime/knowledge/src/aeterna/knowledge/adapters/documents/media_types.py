"""Tells what a file is: by the media type that it was given with, else by its ending, else by how it begins."""

from __future__ import annotations

import re
from typing import Final

from aeterna.knowledge.adapters.documents.refusals import RefusedError

MARKDOWN: Final = "text/markdown"
HTML: Final = "text/html"
PLAIN: Final = "text/plain"
CSV: Final = "text/csv"
PARQUET: Final = "application/vnd.apache.parquet"
SOURCE: Final = "text/x-source"

_TYPES: Final = {
    "text/markdown": MARKDOWN,
    "text/x-markdown": MARKDOWN,
    "text/html": HTML,
    "application/xhtml+xml": HTML,
    "text/plain": PLAIN,
    "text/csv": CSV,
    "application/csv": CSV,
    PARQUET: PARQUET,
    "application/x-parquet": PARQUET,
    "application/parquet": PARQUET,
}
_ENDINGS: Final = {
    **dict.fromkeys(("md", "markdown", "mdown", "mkd", "mdx"), MARKDOWN),
    **dict.fromkeys(("html", "htm", "xhtml"), HTML),
    **dict.fromkeys(("txt", "text", "log", "rst", "adoc", "asciidoc", "org", "tex", "textile"), PLAIN),
    "csv": CSV,
    **dict.fromkeys(("parquet", "pq"), PARQUET),
}
# The type that says nothing: browsers and object stores give it to whatever they do not know.
_UNTOLD: Final = frozenset({"", "application/octet-stream", "binary/octet-stream"})
_HTML_BEGINS: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s{0,200}<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_FRONT_MATTER: Final = re.compile(rb"(?:\xef\xbb\xbf)?---[ \t]*\r?\n|(?:\xef\xbb\xbf)?#{1,6} \S")


def media_type_of(given: str | None, name: str, content: bytes, *, is_source: bool) -> str:
    """Return one of the types above; raise `RefusedError` for one that is told and not read.

    ``is_source`` says whether the name is that of a file of source code.
    """
    told = (given or "").partition(";")[0].strip().lower()
    if told in _TYPES:
        return _TYPES[told]
    if told not in _UNTOLD and not told.startswith("text/"):
        if not is_source:
            raise RefusedError(f"is of the media type {told[:80]!r}, which is not read")
        return SOURCE
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    if ending in _ENDINGS:
        return _ENDINGS[ending]
    return SOURCE if is_source else _sniffed(content)


def _sniffed(content: bytes) -> str:
    if content.startswith(b"PAR1"):
        return PARQUET
    if _HTML_BEGINS.match(content):
        return HTML
    return MARKDOWN if _FRONT_MATTER.match(content) else PLAIN
