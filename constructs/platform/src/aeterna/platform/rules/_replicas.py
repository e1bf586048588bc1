"""Answers whether a resource keeps more than one pod running."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.synth.rules.subject import Mark, as_number

if TYPE_CHECKING:
    from aeterna.synth.rules.subject import Subject

REPLICATED: Final = frozenset(
    f"kubernetes_{kind}{version}" for kind in ("deployment", "stateful_set") for version in ("", "_v1")
)


def is_replicated(subject: Subject) -> bool:
    """Say whether it is known to keep several."""
    if subject.type not in REPLICATED:
        return False
    replicas = subject.value("spec.replicas")
    return not isinstance(replicas, Mark) and (as_number(replicas) or 0) > 1
