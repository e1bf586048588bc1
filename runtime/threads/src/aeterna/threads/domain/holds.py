"""Legal holds: while one is in force, nothing that it covers is removed, whatever has expired or shall be erased."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from aeterna.threads.domain.conversation import ThreadId
from aeterna.threads.errors import InvalidErasureError

MAX_REASON_CHARS: Final = 2_000
MAX_SUBJECT_CHARS: Final = 255
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """An order to keep a thread, or what a subject owns and wrote, or everything when both are None.

    Build it with `hold_of`.
    """

    hold_id: str
    thread_id: ThreadId | None
    subject: str | None
    reason: str
    placed_by: str
    placed_at: datetime


def hold_of(
    hold_id: str, *, thread_id: ThreadId | None, subject: str | None, reason: str, by: str, at: datetime
) -> Hold:
    """Check and make a hold; raise `InvalidErasureError`."""
    if _ID.fullmatch(hold_id) is None:
        raise InvalidErasureError("hold_id", f"must match {_ID.pattern}")
    if thread_id is not None and subject is not None:
        raise InvalidErasureError("subject", "goes without a thread: make it two holds")
    require_subject(subject)
    if not 1 <= len(reason.strip()) <= MAX_REASON_CHARS:
        raise InvalidErasureError("reason", f"must have 1 to {MAX_REASON_CHARS} characters")
    return Hold(hold_id=hold_id, thread_id=thread_id, subject=subject, reason=reason, placed_by=by, placed_at=at)


def require_subject(subject: str | None) -> None:
    """Raise `InvalidErasureError` when no token could name the subject."""
    if subject is not None and (not 1 <= len(subject) <= MAX_SUBJECT_CHARS or "\0" in subject):
        raise InvalidErasureError("subject", f"must have 1 to {MAX_SUBJECT_CHARS} characters")


def digest_of_name(name: str, salt: str) -> str:
    """Return scrypt of a name (N 16384, r 8, p 1, 32 bytes, in hexadecimal): guessing it costs 16 MiB a guess."""
    return hashlib.scrypt(name.encode(), salt=salt.encode(), n=16384, r=8, p=1, dklen=32).hex()


def digest_of_held(hold: Hold) -> str | None:
    """Return what the audit keeps of whom a hold is about: the digest, salted with the hold's id."""
    name = hold.subject or hold.thread_id
    return None if name is None else digest_of_name(name, hold.hold_id)
