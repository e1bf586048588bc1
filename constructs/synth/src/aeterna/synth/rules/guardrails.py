"""The aspect that runs the rules over a stack while it is synthesized, the customer's own resources included."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from constructs import IValidation

from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.sizes import Size
from aeterna.synth._cdk import Annotations, App, TerraformStack, implements
from aeterna.synth.aspects import Aspect
from aeterna.synth.errors import SynthesisError
from aeterna.synth.rules.evaluation import Evaluation
from aeterna.synth.rules.inventory import read
from aeterna.synth.rules.packs import facts_of, installed
from aeterna.synth.rules.rule import Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from constructs import IConstruct

    from aeterna.synth.rules.evaluation import Report
    from aeterna.synth.rules.packs import Pack
    from aeterna.synth.rules.rule import Finding
    from aeterna.synth.rules.suppression import Suppression


def today() -> date:
    """Return the day in UTC, so that a suppression ends for everybody at once."""
    return datetime.now(UTC).date()


class Guardrails(Aspect):
    """Guard-rails for a stack: ``attach(stack, Guardrails())``. What they find stops the synthesis.

    A stack is looked at once, after every other aspect has changed what it wants to change, and as it will be written:
    with overrides, and with resources of prebuilt packages. `reports` keeps what was found, by the stack's path.
    """

    def __init__(
        self,
        *,
        suppressions: Iterable[Suppression] = (),
        size: Size | str = Size.STANDARD,
        required_tags: Iterable[str] = (),
        without: Iterable[str] = (),
        packs: tuple[Pack, ...] | None = None,
        clock: Callable[[], date] = today,
    ) -> None:
        """Take the exceptions, how strict to be, and the tags that everything carries.

        ``without`` names rules that are not asked at all. Raises `InvalidSpecError` for an exception that cannot hold.
        """
        self._evaluation = Evaluation(
            packs=installed() if packs is None else packs,
            today=clock(),
            size=_size(size),
            suppressions=tuple(suppressions),
            required_tags=frozenset(required_tags),
            without=frozenset(without),
        )
        self.reports: dict[str, Report] = {}
        self._guards_a_stack = False

    def apply(self, node: IConstruct) -> None:
        """Ask to be called again for each stack once the aspects are done. Raises `SynthesisError` below a stack."""
        if not isinstance(node, TerraformStack):
            if not self._guards_a_stack:
                raise SynthesisError(f"{node.node.path} is no stack; attach the guard-rails to a stack")
            return
        self._guards_a_stack = True
        if App.of(node).skip_validation:
            self.look_at(node)
        else:
            node.node.add_validation(_Later(self, node))

    def look_at(self, stack: TerraformStack) -> None:
        """Ask the rules about one stack, and say at each construct what is wrong with it."""
        path = stack.node.path
        inventory = read(
            stack.to_terraform(),
            stack=path,
            facts=facts_of(self._evaluation.packs),
            required_tags=self._evaluation.required_tags,
        )
        report = self.reports[path] = self._evaluation.of_inventories([inventory])
        for finding in report.findings:
            _annotate(stack, finding)


@implements(IValidation)
class _Later:
    """Looks at a stack when the engine validates it, which is after all aspects and before anything is written."""

    def __init__(self, guardrails: Guardrails, stack: TerraformStack) -> None:
        self._guardrails = guardrails
        self._stack = stack

    def validate(self) -> list[str]:
        """Answer the engine: nothing, as every finding is an annotation at its construct."""
        try:
            self._guardrails.look_at(self._stack)
        except Exception as failure:
            self._guardrails.failure = failure
            raise
        return []


def _size(wanted: Size | str) -> Size:
    """Return the size of a name. Raises `InvalidSpecError` for one that there is not."""
    if wanted not in tuple(Size):
        problem = f"{wanted!r} is not a size"
        raise InvalidSpecError(Guardrails.__name__, "size", problem, f"use one of {', '.join(Size)}")
    return Size(wanted)


def _annotate(stack: TerraformStack, finding: Finding) -> None:
    annotations = Annotations.of(_construct(stack, finding.path))
    if finding.severity is Severity.ERROR:
        annotations.add_error(finding.line)
    else:
        annotations.add_warning(finding.line)


def _construct(stack: TerraformStack, path: str) -> IConstruct:
    """Return the construct at a path below the stack, or the stack itself where there is none."""
    found: IConstruct = stack
    for step in path.removeprefix(f"{stack.node.path}/").split("/"):
        below = found.node.try_find_child(step)
        if below is None:
            return stack
        found = below
    return found
