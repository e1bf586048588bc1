"""The document that a bundle travels in: its files, the version they were deployed as, and when that was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import orjson

from aeterna.cedar.domain.bundle import Bundle
from aeterna.cedar.domain.paths import checked_path
from aeterna.cedar.errors import BundleInvalidError, BundleUnreadableError
from aeterna.contracts.json_value import is_object

MEDIA_TYPE: Final = "application/vnd.aeterna.bundle+json"
SIGNATURE_HEADER: Final = "Aeterna-Signature"
REPLICA_HEADER: Final = "Aeterna-Replica"
# What either side refuses to hold in memory: the writer when it signs, the reader while it still receives.
MAX_BYTES: Final = 32 * 1024 * 1024
_FORMAT: Final = 1
_WHERE: Final = "signed bundle"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedBundle:
    """``files`` by path, as `Bundle.of` takes them. ``version`` counts deployments from 1 and never goes back."""

    version: int
    created_at: datetime
    files: Mapping[str, str]

    def bundle(self) -> Bundle:
        """Return the bundle, or raise `BundleInvalidError` when the files are none."""
        return Bundle.of(self.files)


def encode(files: Mapping[str, str], version: int, created_at: datetime) -> bytes:
    """Return the document, whose bytes are signed; the same arguments give the same bytes.

    Raise `BundleInvalidError` for a path that no reader would accept, and for what is too large to be read.
    """
    body = orjson.dumps(
        {
            "format": _FORMAT,
            "version": version,
            "created_at": created_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "files": {checked_path(path): text for path, text in sorted(files.items())},
        }
    )
    if len(body) > MAX_BYTES:
        raise BundleInvalidError(_WHERE, f"is larger than {MAX_BYTES} bytes")
    return body


def decode(body: bytes) -> SignedBundle:
    """Return what the document holds; raise `BundleUnreadableError` for another document or a format of the future.

    Verify the signature first: nothing in here is to be trusted before that.
    """
    try:
        document: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise BundleUnreadableError(_WHERE, "is not JSON") from None
    if not is_object(document):
        raise BundleUnreadableError(_WHERE, "is no object")
    if document.get("format") != _FORMAT:
        raise BundleUnreadableError(_WHERE, f"is not of format {_FORMAT}")
    version = document.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise BundleUnreadableError(_WHERE, "has no version from 1")
    return SignedBundle(
        version=version, created_at=_time(document.get("created_at")), files=_files(document.get("files"))
    )


def _time(written: object) -> datetime:
    try:
        found = datetime.fromisoformat(written if isinstance(written, str) else "")
    except ValueError:
        raise BundleUnreadableError(_WHERE, "has no time of creation") from None
    if found.tzinfo is None:
        raise BundleUnreadableError(_WHERE, "has a time of creation without a zone")
    return found


def _files(written: object) -> Mapping[str, str]:
    if not is_object(written):
        raise BundleUnreadableError(_WHERE, "has no files")
    files: dict[str, str] = {}
    for path, text in written.items():
        if not isinstance(text, str):
            raise BundleUnreadableError(_WHERE, "has a file that is no text")
        files[checked_path(path)] = text
    return files
