"""Versions of the policies: what was proposed, by whom and on what, and what became of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from aeterna.cedar.domain.bundle import Bundle
from aeterna.policies.domain.scope import Scope


class State(StrEnum):
    """What became of a version; the words are of the public contract."""

    PROPOSED = "proposed"
    """It can be deployed: what it was proposed on is what is deployed."""
    DEPLOYED = "deployed"
    """It is the one that decides."""
    SUPERSEDED = "superseded"
    """It was deployed, and another one was after it."""
    OUTDATED = "outdated"
    """It was never deployed, and another one was since it was proposed: it must be proposed again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who acts: the subject of a verified token, and how far their word reaches."""

    subject: str
    kind: str
    scope: Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What somebody asks for: ``files`` are all of those that are theirs to change, by path.

    ``base`` is the version that they saw deployed, 0 for none. ``key`` is the caller's own id of the request.
    """

    files: Mapping[str, str]
    base: int
    message: str
    key: str

    def digest(self) -> bytes:
        """Return the SHA-256 by which a repetition of the request is told from another one under the same key."""
        content = json.dumps(["propose", sorted(self.files.items()), self.base, self.message], ensure_ascii=True)
        return hashlib.sha256(content.encode("ascii")).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """The wish to have the files of an earlier version back; ``base`` is what is seen deployed, ``key`` as above.

    ``accept_undecided`` says that they may decide although the analysis left questions open.
    """

    to: int
    base: int
    message: str
    key: str
    accept_undecided: bool = False

    def digest(self) -> bytes:
        """Return the SHA-256 by which a repetition of the request is told from another one under the same key."""
        return hashlib.sha256(json.dumps(["return", self.to, self.base, self.message]).encode("ascii")).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A version that may be written: whole, checked, and without a number yet.

    ``report`` is the analysis as a JSON text. ``restores`` is the version whose files it brings back.
    """

    author: Author
    files: Mapping[str, str]
    digest: str
    base: int
    message: str
    report: str
    at: datetime
    key: str
    request: bytes
    restores: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version. ``digest`` names its content as `Bundle.digest` does, ``base`` what it was proposed on.

    ``undecided`` says that its analysis left questions open, so that it is not known to be clean.
    """

    number: int
    tenant: str
    author: str
    message: str
    created_at: datetime
    digest: str
    base: int
    restores: int | None
    undecided: bool
    state: State
    deployed_at: datetime | None
    deployed_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A version with everything in it."""

    version: Version
    files: Mapping[str, str]
    report: str

    def bundle(self) -> Bundle:
        """Return the files as a bundle."""
        return Bundle.of(self.files)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A version, and whether this request made it (or deployed it) or an equal one did before."""

    version: Version
    created: bool
