"""Tells who gains and who loses between two versions of a bundle, with requests that show it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from aeterna.cedar.domain.bundle import Bundle
from aeterna.cedar.errors import BundleInvalidError
from aeterna.policies.domain.findings import Difference, Kind
from aeterna.policies.domain.typed.formula import all_of, any_of, fails, not_, takes_effect
from aeterna.policies.domain.typed.policy import Effect, Policy
from aeterna.policies.errors import UndecidedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aeterna.cedar.domain.request import Request
    from aeterna.policies.domain.checked import Checked
    from aeterna.policies.domain.typed.formula import Environment, Formula
    from aeterna.policies.ports import Checker, Solver, Solvers

_EXAMPLES: Final = 3
_SCHEMA_CHANGED: Final = "the earlier policies do not hold up against the later schema, so they cannot be compared"


class Comparing:
    """Compares what two bundles allow: for each shape of request, whether one allows what the other does not."""

    def __init__(self, checker: Checker, solvers: Solvers) -> None:
        self._checker = checker
        self._solvers = solvers

    def compare(self, before: Bundle, after: Bundle) -> tuple[Difference, ...]:
        """Return the differences, or raise `BundleInvalidError` when either is no bundle.

        A tenant's own differences are told for the tenants whose own files changed. Requests are valid by the later
        schema, except for the shapes that only the earlier one has.
        """
        old, new = self._checked(before), self._checked(after)
        solver = self._solver(after.schema)
        if before.schema == after.schema:
            return tuple(_differences(solver, solver.environments(), old, new))
        earlier = self._solver(before.schema)
        shapes, gone = (
            solver.environments(),
            [env for env in earlier.environments() if env not in solver.environments()],
        )
        fresh = [env for env in shapes if env not in earlier.environments()]
        kept = [env for env in shapes if env not in fresh]
        nothing = replace(old, policies=())
        found = [*_differences(earlier, gone, old, nothing), *_differences(solver, fresh, nothing, new)]
        old_by_new = Bundle(policies=before.policies, schema=after.schema)
        rechecked = self._checker.check(old_by_new)
        if _first_mistake(rechecked) is None:
            return (*found, *_differences(solver, kept, rechecked, new))
        return (*found, *(_difference(env, None, undecided=_SCHEMA_CHANGED) for env in kept))

    def _checked(self, bundle: Bundle) -> Checked:
        checked = self._checker.check(bundle)
        mistake = _first_mistake(checked)
        if mistake is not None:
            raise mistake
        return checked

    def _solver(self, schema: str) -> Solver:
        try:
            return self._solvers.of(schema)
        except UndecidedError as exc:
            raise BundleInvalidError("schema", f"the analysis does not understand it: {exc.reason}") from exc


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sides:
    """The policies that count on either side; those that did not change are the same objects on both."""

    before: tuple[Policy, ...]
    after: tuple[Policy, ...]

    @classmethod
    def of(cls, before: Sequence[Policy], after: Sequence[Policy]) -> _Sides:
        known = {(policy.text, policy.tenant): policy for policy in after}
        return cls(
            before=tuple(known.get((policy.text, policy.tenant), policy) for policy in before), after=tuple(after)
        )

    @property
    def changed(self) -> tuple[Policy, ...]:
        """Return the policies of one side alone."""
        return (*_missing(self.before, self.after), *_missing(self.after, self.before))

    def turned(self) -> _Sides:
        """Return the sides with their places exchanged: who loses by a change is who gains by undoing it."""
        return _Sides(before=self.after, after=self.before)


def _differences(
    solver: Solver, environments: Sequence[Environment], old: Checked, new: Checked
) -> Iterator[Difference]:
    tenants = sorted({policy.tenant for policy in (*old.policies, *new.policies) if policy.tenant is not None})
    for tenant in (None, *tenants):
        sides = _Sides.of(old.of(tenant), new.of(tenant))
        if not any(policy.tenant == tenant for policy in sides.changed):
            continue
        for environment in environments:
            found = _compared(solver, environment, sides, tenant)
            if found is not None:
                yield found


def _compared(solver: Solver, environment: Environment, sides: _Sides, tenant: str | None) -> Difference | None:
    """Return what changes for one shape of request, or None if nothing does."""
    gained: list[Request] = []
    lost: list[Request] = []
    undecided: str | None = None
    for found, turned in ((gained, sides), (lost, sides.turned())):
        try:
            found.extend(_gains(solver, environment, turned, tenant))
        except UndecidedError as exc:
            undecided = exc.reason
    if not gained and not lost and undecided is None:
        return None
    return _difference(environment, tenant, gained=gained, lost=lost, undecided=undecided)


def _gains(solver: Solver, environment: Environment, sides: _Sides, tenant: str | None) -> list[Request]:
    """Return requests that are allowed only after, as different in their causes as can be had; none means no such.

    Whatever is gained has a cause: a permit that is new, or a policy gone that forbade or failed.
    """
    causes = [
        *(takes_effect(policy) for policy in _missing(sides.after, sides.before) if policy.effect is Effect.PERMIT),
        *(_stopped_by(policy) for policy in _missing(sides.before, sides.after)),
    ]
    gain = all_of(_allowed(sides.after), not_(_allowed(sides.before)))
    found: list[Request] = []
    told: list[Formula] = []
    for cause in causes:
        if len(found) == _EXAMPLES:
            break
        # Not one that an example before shows already.
        example = solver.find(environment, all_of(gain, cause, not_(any_of(*told))))
        if example is not None:
            found.append(replace(example.request, tenant=tenant))
            told.append(cause)
    return found


def _allowed(policies: Sequence[Policy]) -> Formula:
    """Return that our engine allows: some permit, no forbid, and no policy that fails, since an error is a deny."""
    permits = [takes_effect(policy) for policy in policies if policy.effect is Effect.PERMIT]
    return all_of(any_of(*permits), not_(any_of(*(_stopped_by(policy) for policy in policies))))


def _stopped_by(policy: Policy) -> Formula:
    return fails(policy) if policy.effect is Effect.PERMIT else any_of(takes_effect(policy), fails(policy))


def _missing(these: Sequence[Policy], those: Sequence[Policy]) -> tuple[Policy, ...]:
    other = set(those)
    return tuple(policy for policy in these if policy not in other)


def _difference(
    environment: Environment,
    tenant: str | None,
    *,
    gained: Sequence[Request] = (),
    lost: Sequence[Request] = (),
    undecided: str | None = None,
) -> Difference:
    return Difference(
        principal_type=environment.principal_type,
        action=f'{environment.action.type}::"{environment.action.id}"',
        resource_type=environment.resource_type,
        tenant=tenant,
        gained=tuple(gained),
        lost=tuple(lost),
        undecided=undecided,
    )


def _first_mistake(checked: Checked) -> BundleInvalidError | None:
    for found in checked.findings:
        if found.kind in {Kind.INVALID, Kind.UNDECIDED}:
            return BundleInvalidError(found.place.file, found.message, line=found.place.line)
    return None
