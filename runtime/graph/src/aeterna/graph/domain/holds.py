"""Legal holds: while one is on record, nothing that it covers may be erased."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from aeterna.graph.domain.identifiers import Json
from aeterna.graph.errors import InvalidErasureError, LegalHoldError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

HOLD: Final = "hold"  # the record under which holds are kept
MAX_REASON_CHARS: Final = 2_000
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """An order to keep what a subject committed, or everything when ``subject`` is None. Build it with `hold_of`."""

    id: str
    subject: str | None
    reason: str
    by: str
    at: datetime

    def record(self) -> Json:
        """Return the hold as it is kept."""
        kept = {"subject": self.subject, "reason": self.reason, "by": self.by, "at": self.at.isoformat()}
        return Json(json.dumps(kept, sort_keys=True, separators=(",", ":")))


def hold_of(id_: str, *, subject: str | None, reason: str, by: str, at: datetime) -> Hold:
    """Check and make a hold; raise `InvalidErasureError`."""
    if _ID.fullmatch(id_) is None:
        raise InvalidErasureError("id", f"must match {_ID.pattern}")
    if subject == "":
        raise InvalidErasureError("subject", "is empty")
    if not 1 <= len(reason.strip()) <= MAX_REASON_CHARS:
        raise InvalidErasureError("reason", f"must have 1 to {MAX_REASON_CHARS} characters")
    return Hold(id=id_, subject=subject, reason=reason, by=by, at=at)


def holds_in(records: Mapping[str, Json]) -> tuple[Hold, ...]:
    """Read the holds on record, by id."""
    return tuple(
        Hold(
            id=id_,
            subject=kept["subject"],
            reason=kept["reason"],
            by=kept["by"],
            at=datetime.fromisoformat(kept["at"]),
        )
        for id_, kept in sorted((id_, json.loads(text)) for id_, text in records.items())
    )


def require_no_hold(holds: Iterable[Hold], *, subject: str | None, tenant: bool) -> None:
    """Raise `LegalHoldError` when a hold forbids to erase the subject or the tenant as such."""
    for hold in holds:
        if tenant or hold.subject is None or hold.subject == subject:
            raise LegalHoldError(hold.id)


def require_not_held(holds: Iterable[Hold], subjects: Collection[str]) -> None:
    """Raise `LegalHoldError` when one of those who committed what an erasure reaches is on hold."""
    for hold in holds:
        if hold.subject in subjects:
            raise LegalHoldError(hold.id)
