"""What an analysis finds in a bundle of policies, each finding with a request that anybody can ask Cedar."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from aeterna.cedar.domain.request import Request


class Kind(StrEnum):
    """What a finding says of its policies; the words are of the public contract."""

    INVALID = "invalid"
    """The bundle is no bundle, or Cedar's validator refuses a policy."""
    VACUOUS = "vacuous"
    """No valid request ever makes the policy take effect."""
    REDUNDANT = "redundant"
    """Another policy of the same effect takes effect on exactly the same requests."""
    SHADOWED_PERMIT = "shadowed_permit"
    """Whatever the permit allows, another permit allows too."""
    SHADOWED_FORBID = "shadowed_forbid"
    """Whatever the forbid denies, another forbid denies too."""
    OVERRIDDEN = "overridden"
    """Whatever the permit allows, a forbid denies: it permits nothing."""
    OPPOSING = "opposing"
    """Some request makes both the permit and the forbid take effect, so that it is denied; other requests are not."""
    IDLE_ANNOTATION = "idle_annotation"
    """An annotation excuses an override that no request ever meets."""
    UNDECIDED = "undecided"
    """The question could not be answered, in time or at all; never to be read as clean."""


_REFUSING: Final = frozenset({Kind.INVALID, Kind.OVERRIDDEN, Kind.OPPOSING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a policy is written: its file within the bundle, and the line from 1 if it is known."""

    file: str
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing to know about one or two policies, named by their ``@id``; the first is the one to change.

    ``example`` is a valid request with all the entities it needs, and Cedar itself was asked whether it shows what the
    finding says. It does not bring entities that the bundle keeps, unless it shows nothing beside those. A vacuous
    policy has none, since there is none. ``intended`` names the annotation that excuses it.
    """

    kind: Kind
    policies: tuple[str, ...]
    message: str
    place: Place
    tenant: str | None = None
    example: Request | None = None
    intended: str | None = None

    @property
    def refuses(self) -> bool:
        """Whether this finding alone keeps the bundle from being deployed."""
        return self.kind in _REFUSING and self.intended is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All findings of a bundle, sorted by file and line; ``pairs`` counts those of policies that were compared.

    Findings of kinds that never refuse are there to be read; those that an annotation excuses refuse nothing either.
    """

    digest: str
    findings: tuple[Finding, ...]
    policies: int
    pairs: int

    @property
    def refused(self) -> bool:
        """Whether the bundle must not be deployed: it is invalid, or a forbid stops a permit and nobody meant it."""
        return any(found.refuses for found in self.findings)

    @property
    def undecided(self) -> bool:
        """Whether some question was left open, so that the bundle is not known to be clean."""
        return any(found.kind is Kind.UNDECIDED for found in self.findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Requests of one principal type, action and resource type that two bundles decide differently.

    ``gained`` are examples that only the later one allows, ``lost`` those that only the earlier one does.
    ``undecided`` says why it could not be known for this shape of request, if it could not.
    """

    principal_type: str
    action: str
    resource_type: str
    tenant: str | None = None
    gained: tuple[Request, ...] = ()
    lost: tuple[Request, ...] = ()
    undecided: str | None = None
