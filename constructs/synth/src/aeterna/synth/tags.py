"""Puts the same tags on everything that can carry tags, whoever configured the provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from aeterna.synth.aspects import Aspect
from aeterna.synth.binding import Resource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs import IConstruct


class Tags(Aspect):
    """Adds tags to every resource below a scope that takes them; a resource's own tag of that key stays.

    Where the provider is yours, its own default tags are simpler, and reach what these bindings do not know.
    """

    def __init__(self, tags: Mapping[str, str], *, argument: str = "tags") -> None:
        """Take the tags, and the name of the argument that carries them: some providers call them labels."""
        self._tags: dict[str, object] = dict(tags)
        self._argument = argument

    def apply(self, node: IConstruct) -> None:
        """Tag one construct, if it is a resource that takes tags."""
        if not isinstance(node, Resource) or not node.takes(self._argument):
            return
        own: object = node.arguments.get(self._argument) or {}
        if isinstance(own, dict):  # an expression is left alone: what it says is known only at apply
            node.replace(self._argument, self._tags | cast("dict[str, object]", own))
