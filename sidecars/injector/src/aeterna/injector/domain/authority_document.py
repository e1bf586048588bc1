"""The authority as the text that its Secret holds: JSON, so that a generation is written whole or not at all."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Final, cast

from aeterna.injector.domain.authority import Authority, Generation
from aeterna.injector.domain.certificates import read_certificate, read_pair
from aeterna.injector.errors import AuthorityTooNewError, CertificateUnreadableError

FORMAT: Final = 1
KEY: Final = "authority.json"
"""The entry of the Secret."""


def written(authority: Authority) -> str:
    """Return the text, the same for the same authority."""
    generations = [
        {
            "certificate": each.certificate.pem,
            "key": each.key,
            "published": _text(each.published),
            "superseded": _text(each.superseded),
        }
        for each in authority.generations
    ]
    return json.dumps({"format": FORMAT, "generations": generations}, indent=1)


def read(text: str | None) -> tuple[Authority, int]:
    """Return the authority of a text, and how many of its generations cannot be read.

    A text that is nothing of ours is one such and leaves nothing. Raises `AuthorityTooNewError`.
    """
    if text is None:
        return Authority(), 0
    try:
        document: object = json.loads(text)
    except (ValueError, RecursionError):
        return Authority(), 1
    if not isinstance(document, dict):
        return Authority(), 1
    top = cast("dict[str, object]", document)
    version, entries = top.get("format"), top.get("generations")
    if isinstance(version, int) and version > FORMAT:
        raise AuthorityTooNewError(version, FORMAT)
    if version != FORMAT or not isinstance(entries, list):
        return Authority(), 1
    found = [_generation(entry) for entry in cast("list[object]", entries)]
    read_ones = tuple(each for each in found if each is not None)
    return Authority(generations=read_ones), len(found) - len(read_ones)


def _generation(entry: object) -> Generation | None:
    if not isinstance(entry, dict):
        return None
    fields = cast("dict[str, object]", entry)
    pem, key = fields.get("certificate"), fields.get("key")
    if not isinstance(pem, str):
        return None
    try:
        certificate = read_certificate(pem)
        published, superseded = _moment(fields.get("published")), _moment(fields.get("superseded"))
    except (CertificateUnreadableError, ValueError):
        return None
    return Generation(certificate=certificate, key=_usable(pem, key), published=published, superseded=superseded)


def _usable(pem: str, key: object) -> str | None:
    """Return the key when it belongs to the certificate: one that does not would issue what nobody accepts."""
    if not isinstance(key, str):
        return None
    try:
        return read_pair(pem, key).key
    except CertificateUnreadableError:
        return None


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat()


def _moment(value: object) -> datetime | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError("a moment is a text")  # noqa: TRY004 - garbage in a document, as a text that is no moment
    moment = datetime.fromisoformat(value)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
