"""What a rule is: an idea with an id, the reason for it, and how what goes against it is found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from aeterna.contracts.sizes import Size
from aeterna.synth.rules.facts import Requirement, Topic
from aeterna.synth.rules.subject import Subject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aeterna.synth.rules.inventory import Inventory


class Severity(StrEnum):
    """What a finding does to a synthesis."""

    ERROR = "error"
    """Stops it."""
    WARNING = "warning"
    """Is said, and lets it pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Controls:
    """The controls of others that a rule helps to meet."""

    cis: tuple[str, ...]
    """Safeguards of the CIS Critical Security Controls, version 8.1."""
    nist: tuple[str, ...]
    """Controls of NIST SP 800-53, revision 5."""
    soc2: tuple[str, ...]
    """Criteria of the AICPA's Trust Services Criteria of 2017, which SOC 2 reports on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """What a rule found: the resource, and the sentence that says what is wrong and what to change."""

    subject: Subject
    sentence: str


Check: TypeAlias = "Callable[[Inventory], Iterable[Breach]]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A guard-rail: it asks for settings, or looks with a function of its own, or both."""

    id: str
    """Its stable name, which stands in every finding and every suppression."""
    title: str
    """The law in one sentence."""
    reason: str
    """What happens where it is broken."""
    controls: Controls
    topics: tuple[Topic, ...] = ()
    """What it asks of every type that a cloud's table tells of."""
    settings: Mapping[str, tuple[Requirement, ...]] = field(default_factory=dict[str, tuple[Requirement, ...]])
    """What it asks of the types of one cloud."""
    check: Check | None = None
    """What it looks for beside them."""
    severity: Severity = Severity.ERROR
    applies_from: Size = Size.DEV
    """The smallest environment that has to keep it."""

    def applies_to(self, size: Size) -> bool:
        """Say whether an environment of this size has to keep the rule."""
        order = list(Size)
        return order.index(size) >= order.index(self.applies_from)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A breach of one rule in one stack."""

    rule: str
    severity: Severity
    stack: str
    """The stack's path, or the document it was read from."""
    address: str
    path: str
    message: str

    @property
    def line(self) -> str:
        """Return the finding on one line, without its place."""
        return f"{self.rule}: {self.message}"
