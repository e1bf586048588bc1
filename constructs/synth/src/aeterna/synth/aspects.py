"""Visitors of a whole stack, called before it is written: the way to apply one rule to everything below a scope."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from aeterna.synth._cdk import App, Aspects, IAspect, implements
from aeterna.synth.errors import SynthesisError

if TYPE_CHECKING:
    from constructs import Construct, IConstruct


@implements(IAspect)
class Aspect(ABC):
    """A visitor written in Python: subclass it and write `apply`."""

    failure: Exception | None = None
    """What `apply` raised. The engine keeps only its text, so it is kept here and raised again by ``App.synth``."""

    def visit(self, node: IConstruct) -> None:
        """Answer the engine, which calls this for every construct below the scope."""
        try:
            self.apply(node)
        except Exception as failure:
            self.failure = failure
            raise

    @abstractmethod
    def apply(self, node: IConstruct) -> None:
        """Look at one construct and change it, or annotate it. New constructs may not be added below it."""


def attach(scope: Construct, aspect: Aspect) -> None:
    """Have the aspect visit the scope and everything below it. Raises `SynthesisError` for an app, see there."""
    if App.is_app(scope):
        raise SynthesisError(_IGNORED)
    Aspects.of(scope).add(aspect)


def refuse_ignored(app: App) -> None:
    """Raise `SynthesisError` if an aspect hangs at the app, where the engine silently ignores it."""
    if Aspects.of(app).all:
        raise SynthesisError(_IGNORED)


def failure_in(app: App) -> Exception | None:
    """Return what the first aspect that failed raised."""
    for construct in app.node.find_all():
        for aspect in Aspects.of(construct).all:
            if isinstance(aspect, Aspect) and aspect.failure is not None:
                return aspect.failure
    return None


_IGNORED = "the engine ignores aspects of an app; attach them to each stack"
