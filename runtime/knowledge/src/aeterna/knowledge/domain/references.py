"""Which document a link leads to: the id that the document would have, whether or not it is there."""

from __future__ import annotations

import re
from posixpath import normpath
from typing import Final
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from aeterna.knowledge.domain.documents import MAX_DOCUMENT_ID_CHARS, DocumentId

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_WEB: Final = frozenset({"http", "https"})


def linked_document(document: DocumentId, target: str) -> DocumentId | None:
    """Return the id of the document that a link of ``document`` leads to; None where it leads to itself or to none.

    Ids are paths or addresses: a relative target counts from the folder of the document's own.
    """
    try:
        found = _resolved(document, target.strip())
    except ValueError:  # an address that is none, such as http://[
        return None
    if found is None or found == document or not 1 <= len(found) <= MAX_DOCUMENT_ID_CHARS or not found.isprintable():
        return None
    return DocumentId(found)


def _resolved(document: str, target: str) -> str | None:
    if _SCHEME.match(target) or target.startswith("//"):
        return urldefrag(target).url if urlsplit(target).scheme.lower() in _WEB else None
    if urlsplit(document).scheme.lower() in _WEB:
        return urldefrag(urljoin(document, target)).url
    path = unquote(target.split("#", 1)[0].split("?", 1)[0])
    if not path:
        return None
    folder = "" if path.startswith("/") else document.rpartition("/")[0]
    joined = normpath(f"{folder}/{path.lstrip('/')}" if folder else path.lstrip("/") or ".")
    # A path that leaves the root leads to nothing that could have been given with it.
    return None if joined == "." or joined.startswith("..") else joined
