"""One authorization request, in Cedar's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class Uid(NamedTuple):
    """An entity's full type, such as ``Aeterna::User``, and its id."""

    type: str
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BroughtEntity:
    """An entity that the request itself describes: attributes as Cedar's JSON writes them, and direct parents."""

    uid: Uid
    attributes: Mapping[str, object] = field(default_factory=dict[str, object])
    parents: tuple[Uid, ...] = ()
    tags: Mapping[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """May ``principal`` do ``action`` on ``resource`` in ``context``, by the policies and entities of ``tenant``.

    ``brought`` are entities that count for this request alone; one that the bundle keeps cannot be brought. Without a
    tenant only what counts for all tenants is asked. Attributes and context are values of Cedar's JSON.
    """

    principal: Uid
    action: Uid
    resource: Uid
    context: Mapping[str, object] = field(default_factory=dict[str, object])
    brought: tuple[BroughtEntity, ...] = ()
    tenant: str | None = None
