"""Reaches the resources inside a construct, so that any default of it can be changed without forking it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from aeterna.synth.binding import DataSource, Ephemeral, Resource
from aeterna.synth.errors import ChildNotFoundError

if TYPE_CHECKING:
    from constructs import IConstruct

R = TypeVar("R", bound=Resource | DataSource | Ephemeral)


def inside(construct: IConstruct, kind: type[R], path: str = "Resource") -> R:
    """Return the resource of this class at this path below the construct; by default its primary one.

    On it, ``replace`` sets an argument anew, ``add_override`` reaches anything by Terraform's path, and
    ``override_logical_id`` and ``move_from_id`` keep what exists when a tree changes. Raises `ChildNotFoundError`.
    """
    found = construct
    for step in path.split("/"):
        below = found.node.try_find_child(step)
        if below is None:
            raise _missing(construct, kind, path)
        found = below
    if not isinstance(found, kind):
        raise _missing(construct, kind, path)
    return found


def all_inside(construct: IConstruct, kind: type[R]) -> list[R]:
    """Return every resource of this class below the construct, in the order of the tree."""
    return [each for each in construct.node.find_all() if isinstance(each, kind)]


def _missing(construct: IConstruct, kind: type[R], path: str) -> ChildNotFoundError:
    top = f"{construct.node.path}/"
    present = (
        f"{each.node.path.removeprefix(top)} ({type(each).__name__})"
        for each in construct.node.find_all()
        if isinstance(each, Resource | DataSource | Ephemeral)
    )
    return ChildNotFoundError(construct.node.path, f"{kind.__name__} at {path!r}", present)
