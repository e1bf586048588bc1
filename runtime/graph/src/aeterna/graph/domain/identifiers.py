"""The names of things in a graph, and the one place that decides which texts may be names."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Final, NewType

TenantId = NewType("TenantId", str)
NodeId = NewType("NodeId", str)
SessionId = NewType("SessionId", str)
SnapshotId = NewType("SnapshotId", int)
TagName = NewType("TagName", str)
Label = NewType("Label", str)  # the kind of a node or the type of an edge
Json = NewType("Json", str)  # canonical JSON text of an object: sorted keys, no white space

MAX_ID_CHARS: Final = 512
MAX_SESSION_ID_CHARS: Final = 255
LABEL: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.:/-]{0,127}")
TAG: Final = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,127}")  # never taken for a snapshot's id or a time
_TENANT: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
# Control characters break logs and terminals, surrogates cannot be written as UTF-8, unassigned ones are neither.
_REFUSED_CATEGORIES: Final = frozenset({"Cc", "Cs"})


def tenant_id(text: str) -> TenantId:
    """Return the text as a tenant; raise `ValueError` unless it is 1 to 63 of ``a-z 0-9 -``."""
    if _TENANT.fullmatch(text) is None:
        raise ValueError(f"not a tenant: {text!r}")
    return TenantId(text)


def tenant_hash(tenant: TenantId) -> str:
    """Return what stands for a tenant in logs, traces and health: they leave its boundary, its name should not."""
    return hashlib.sha256(tenant.encode()).hexdigest()[:16]


def problem_of_id(text: str, limit: int = MAX_ID_CHARS) -> str | None:
    """Say what forbids the text as an id, or None."""
    if not 1 <= len(text) <= limit:
        return f"must have 1 to {limit} characters, has {len(text)}"
    # The common case is decided without looking at every character.
    if text.isascii() and text.isprintable():
        return None
    if any(unicodedata.category(char) in _REFUSED_CATEGORIES for char in text):
        return "must not hold control characters or lone surrogates"
    return None


def problem_of_label(text: str) -> str | None:
    """Say what forbids the text as a kind or a type, or None."""
    if LABEL.fullmatch(text) is None:
        return f"must match {LABEL.pattern}"
    return None
