"""Hands the deployed bundle to sidecars and to OPAL, each time as it is deployed now and never from memory alone."""

from __future__ import annotations

import asyncio
import gzip
import io
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aeterna.cedar.domain.signed_bundle import encode
from aeterna.policies.errors import NothingDeployedError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from aeterna.policies.domain.versions import Content
    from aeterna.policies.ports import Signer, Versions


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A deployed bundle in one of its forms; ``signature`` is the header that proves the body."""

    digest: str
    body: bytes
    signature: str | None = None


class Publishing:
    """Publishes what is deployed.

    The database is asked each time what that is: a replica that is told "unchanged" takes it for confirmed, which
    memory alone cannot do. What was encoded and signed for one version is kept until the next.
    """

    def __init__(self, versions: Versions, signer: Signer) -> None:
        self._versions = versions
        self._signer = signer
        self._content: Content | None = None
        self._signed: tuple[int, str, Published] | None = None
        self._packed: tuple[int, Published] | None = None

    async def signed(self) -> Published:
        """Return the signed document; raise `NothingDeployedError`, or `SigningKeyMissingError` without a key."""
        content = await self._deployed()
        number = content.version.number
        key = await asyncio.to_thread(self._signer.key_id)
        if self._signed is None or self._signed[:2] != (number, key):
            self._signed = (number, key, await asyncio.to_thread(self._sign, content))
        return self._signed[2]

    async def packed(self) -> Published:
        """Return the files as OPAL takes them, a ``tar.gz``; raise `NothingDeployedError`."""
        content = await self._deployed()
        number = content.version.number
        if self._packed is None or self._packed[0] != number:
            body = await asyncio.to_thread(_tar, content.files, _deployed_at(content))
            self._packed = (number, Published(digest=content.version.digest, body=body))
        return self._packed[1]

    async def _deployed(self) -> Content:
        number = await self._versions.deployed_number()
        if number == 0:
            raise NothingDeployedError
        if self._content is None or self._content.version.number != number:
            self._content = await self._versions.whole(number)
        return self._content

    def _sign(self, content: Content) -> Published:
        body = encode(content.files, content.version.number, _deployed_at(content))
        return Published(digest=content.version.digest, body=body, signature=self._signer.sign(body))


def _deployed_at(content: Content) -> datetime:
    return content.version.deployed_at or content.version.created_at


def _tar(files: Mapping[str, str], at: datetime) -> bytes:
    """Pack the files; the same files and time give the same bytes."""
    packed = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path, text in sorted(files.items()):
            content = text.encode()
            entry = tarfile.TarInfo(path)
            entry.size, entry.mtime, entry.mode = len(content), int(at.timestamp()), 0o644
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()
