"""What is on record about an erasure: first the order, then the certificate, which names no person."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from aeterna.graph.domain.erasure import PENDING, Target, target_in
from aeterna.graph.domain.identifiers import Json
from aeterna.graph.domain.rows import LAYOUT_VERSION
from aeterna.graph.errors import InvalidErasureError

if TYPE_CHECKING:
    from aeterna.graph.domain.snapshots import Stamp

ERASURE: Final = "erasure"  # the record under which erasures are kept
ERASED: Final = "erased"  # stands where a person's name stood
State: TypeAlias = Literal["pending", "rewritten", "done"]
# Costs of scrypt (RFC 7914): 16 MiB and some 50 ms a guess, so that a list of all employees is not tried in a second.
_SCRYPT_N: Final = 1 << 14
_SCRYPT_R: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasedFile:
    """A file that was deleted; its path is relative to the table's location, its digest is SHA-256 of its bytes."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What the rewrite took out of the table."""

    rows: Mapping[str, int]  # by record
    snapshots: tuple[int, ...]
    refs: tuple[str, ...]
    rewritten_files: int
    kept_snapshots: tuple[int, ...] = ()
    files: tuple[str, ...] = ()  # that no snapshot named: of refused and interrupted commits


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A place in which something erased was found; ``what`` says how, never what."""

    path: str
    what: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What a look at every byte that is left has found.

    ``findings`` are remains. ``mentions`` are places where the same text stands in rows that the erasure does not
    reach, by design: what others wrote, and what was committed later.
    """

    clean: bool
    files: int
    bytes: int
    at: datetime
    findings: tuple[Finding, ...] = ()
    mentions: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """An erasure in one of its states. ``target`` is known while it is pending and forgotten with the rewrite."""

    id: str
    state: State
    seq: int
    by: str
    at: datetime
    layout: int
    tenant: bool
    node_count: int
    target: Target | None = None
    subject_digest: str | None = None
    nodes_digest: str | None = None
    rewritten_at: datetime | None = None
    removed: Removed | None = None
    files: tuple[ErasedFile, ...] = ()
    done_at: datetime | None = None
    verification: Verification | None = None

    def record(self) -> Json:
        """Return the erasure as it is kept; it names the subject only while it is pending."""
        kept: dict[str, Any] = asdict(self)  # Any: JSON of several shapes
        target = kept.pop("target")
        del kept["id"]
        if self.state == PENDING and target is not None:
            kept |= {"subject": target["subject"], "nodes": sorted(target["nodes"])}
        return Json(json.dumps(kept, sort_keys=True, separators=(",", ":"), default=_text))


def ordered(id_: str, target: Target, *, by: str, stamp: Stamp) -> Erasure:
    """Return a new erasure, which hides its target from now on."""
    return Erasure(
        id=id_,
        state="pending",
        seq=stamp.seq,
        by=by,
        at=stamp.committed_at,
        layout=LAYOUT_VERSION,
        tenant=target.tenant,
        node_count=len(target.nodes),
        target=target,
    )


def rewritten(erasure: Erasure, removed: Removed, at: datetime) -> Erasure:
    """Return the erasure after its rows are gone, without the names that it had."""
    target = erasure.target or Target()
    return replace(
        erasure,
        state="rewritten",
        by=ERASED if erasure.by == target.subject else erasure.by,
        target=None,
        subject_digest=None if target.subject is None else digest_of(target.subject, erasure.id),
        nodes_digest=digest_of("\n".join(sorted(target.nodes)), erasure.id) if target.nodes else None,
        rewritten_at=at,
        removed=removed,
    )


def require_target(erasure: Erasure, target: Target) -> None:
    """Raise `InvalidErasureError` unless the erasure was of this target."""
    if erasure.target is not None:
        same = erasure.target == target
    else:
        alike = rewritten(replace(erasure, target=target), erasure.removed or _NOTHING, erasure.at)
        same = target.tenant == erasure.tenant and (alike.subject_digest, alike.nodes_digest) == (
            erasure.subject_digest,
            erasure.nodes_digest,
        )
    if not same:
        raise InvalidErasureError("subject", "this erasure was not of that subject and those nodes")


def erasures_in(records: Mapping[str, Json]) -> tuple[Erasure, ...]:
    """Read the erasures on record, in the order in which they were asked for."""
    return tuple(sorted((_read(id_, json.loads(text)) for id_, text in records.items()), key=lambda each: each.seq))


def digest_of(text: str, salt: str) -> str:
    """Return what stands for a name in a certificate: whoever knows the name can confirm it, at a price.

    ``salt`` is the erasure's random id, so that certificates of one person have nothing in common.
    """
    return hashlib.scrypt(text.encode(), salt=salt.encode(), n=_SCRYPT_N, r=_SCRYPT_R, p=1, dklen=32).hex()


_NOTHING: Final = Removed(rows={}, snapshots=(), refs=(), rewritten_files=0)


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"not for a record: {type(value).__name__}")


def _read(id_: str, kept: dict[str, Any]) -> Erasure:
    removed, found = kept["removed"], kept["verification"]
    return Erasure(
        id=id_,
        state=kept["state"],
        seq=kept["seq"],
        by=kept["by"],
        at=datetime.fromisoformat(kept["at"]),
        layout=kept["layout"],
        tenant=kept["tenant"],
        node_count=kept["node_count"],
        target=target_in(kept) if kept["state"] == PENDING else None,
        subject_digest=kept["subject_digest"],
        nodes_digest=kept["nodes_digest"],
        rewritten_at=_time(kept["rewritten_at"]),
        removed=None if removed is None else _removed(removed),
        files=tuple(ErasedFile(**file) for file in kept["files"]),
        done_at=_time(kept["done_at"]),
        verification=None if found is None else _verification(found),
    )


def _removed(kept: dict[str, Any]) -> Removed:
    lists = {name: tuple(kept[name]) for name in ("snapshots", "refs", "kept_snapshots", "files")}
    return Removed(rows=kept["rows"], rewritten_files=kept["rewritten_files"], **lists)


def _verification(kept: dict[str, Any]) -> Verification:
    return Verification(
        clean=kept["clean"],
        files=kept["files"],
        bytes=kept["bytes"],
        at=datetime.fromisoformat(kept["at"]),
        findings=tuple(Finding(**each) for each in kept["findings"]),
        mentions=tuple(Finding(**each) for each in kept["mentions"]),
    )


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
