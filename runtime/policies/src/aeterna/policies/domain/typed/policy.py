"""A policy as a tree: its scope, its conditions, and where it is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from aeterna.cedar.domain.request import Uid
from aeterna.policies.domain.findings import Place
from aeterna.policies.domain.typed.expressions import Expression


class Effect(StrEnum):
    """What a policy does when it takes effect."""

    PERMIT = "permit"
    FORBID = "forbid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a policy's head says of principal, action or resource; every part that is given must hold, none is anything.

    ``equal`` is ``== uid``, ``within`` is ``in uid`` or ``in [uid, …]``, ``type`` is ``is Type``.
    """

    equal: Uid | None = None
    within: tuple[Uid, ...] | None = None
    type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """``when`` the body holds, or ``unless`` it does."""

    unless: bool
    body: Expression


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, weakref_slot=True)
class Policy:
    """One policy of a bundle. Two are the same only if they are one object: ids repeat between versions and tenants."""

    id: str
    effect: Effect
    principal: Scope
    action: Scope
    resource: Scope
    conditions: tuple[Condition, ...]
    annotations: Mapping[str, str] = field(default_factory=dict[str, str])
    place: Place
    tenant: str | None = None
    text: str
    """Cedar's text of this policy alone: what Cedar is asked with, and what a memo of results is keyed by."""
