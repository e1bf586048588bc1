"""What a guard-rail is: it looks at one resource at a time and says what is wrong with it."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, cast

from aeterna.synth._cdk import Annotations
from aeterna.synth.aspects import Aspect
from aeterna.synth.binding import Resource

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from constructs import IConstruct


class Rule(Aspect):
    """A guard-rail. What it finds stops the synthesis, unless the construct's path is exempt, which says why."""

    code: ClassVar[str]
    """Its stable name, which stands in every finding."""

    def __init__(self, *, exempt: Mapping[str, str] | None = None) -> None:
        """Take the paths of constructs that may break the rule, each with the reason."""
        self._exempt = dict(exempt or {})

    @abstractmethod
    def findings(self, resource: Resource) -> Iterator[str]:
        """Say what is wrong with a resource, one sentence each."""

    def apply(self, node: IConstruct) -> None:
        """Look at one construct."""
        if isinstance(node, Resource) and node.node.path not in self._exempt:
            for finding in self.findings(node):
                Annotations.of(node).add_error(f"{self.code}: {finding}")


def literals(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Walk lowered arguments and return each text that is known now, with its path; placeholders are left out."""
    if isinstance(value, str):
        if "${" not in value:
            yield path, value
    elif isinstance(value, dict):
        for name, inner in cast("Mapping[str, object]", value).items():
            yield from literals(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for inner in cast("Collection[object]", value):
            yield from literals(inner, path)
