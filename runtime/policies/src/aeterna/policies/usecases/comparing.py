"""Tells who gains and who loses between two versions of a bundle, with requests that show it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from aeterna.cedar.domain.bundle import Bundle
from aeterna.cedar.errors import BundleInvalidError
from aeterna.policies.domain.checked import Checked
from aeterna.policies.domain.findings import Difference, Kind
from aeterna.policies.domain.typed.formula import all_of, any_of, fails, not_, takes_effect
from aeterna.policies.domain.typed.policy import Effect, Policy
from aeterna.policies.errors import UndecidedError
from aeterna.policies.usecases.answering import OUT_OF_TIME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from aeterna.cedar.domain.request import Request
    from aeterna.policies.domain.checked import Effects
    from aeterna.policies.domain.typed.formula import Environment, Formula
    from aeterna.policies.ports import Checker, Solver, Solvers, Witness, Witnesses
    from aeterna.policies.usecases.answering import Patience

_EXAMPLES: Final = 3
_SCHEMA_CHANGED: Final = "the earlier policies do not hold up against the later schema, so they cannot be compared"


class Comparing:
    """Compares what two bundles allow: for each shape of request, whether one allows what the other does not."""

    def __init__(
        self, checker: Checker, solvers: Solvers, witnesses: Witnesses, patience: Callable[[], Patience]
    ) -> None:
        self._checker = checker
        self._solvers = solvers
        self._witnesses = witnesses
        self._patience = patience

    def compare(self, before: Bundle, after: Bundle) -> tuple[Difference, ...]:
        """Return the differences, or raise `BundleInvalidError` when either is no bundle.

        A tenant's own differences are told for the tenants whose own files changed. Requests are valid by the later
        schema, except for the shapes that only the earlier one has.
        """
        old, new = self._checked(before), self._checked(after)
        patience = self._patience()
        later = self._judge(after.schema, patience)
        if before.schema == after.schema:
            return tuple(later.differences(later.environments, old, new))
        earlier, nothing = self._judge(before.schema, patience), Checked()
        gone = [env for env in earlier.environments if env not in later.environments]
        fresh = [env for env in later.environments if env not in earlier.environments]
        kept = [env for env in later.environments if env in earlier.environments]
        found = [*earlier.differences(gone, old, nothing), *later.differences(fresh, nothing, new)]
        rechecked = self._checker.check(Bundle(policies=before.policies, schema=after.schema))
        if _first_mistake(rechecked) is None:
            return (*found, *later.differences(kept, rechecked, new))
        return (*found, *(_difference(env, None, undecided=_SCHEMA_CHANGED) for env in kept))

    def _checked(self, bundle: Bundle) -> Checked:
        checked = self._checker.check(bundle)
        mistake = _first_mistake(checked)
        if mistake is not None:
            raise mistake
        return checked

    def _judge(self, schema: str, patience: Patience) -> _Judge:
        try:
            return _Judge(self._solvers.of(schema), lambda policies: self._witnesses.of(schema, policies), patience)
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


class _Judge:
    """Compares under one schema, for as long as there is patience."""

    def __init__(self, solver: Solver, witness: Callable[[Sequence[Policy]], Witness], patience: Patience) -> None:
        self.environments = solver.environments()
        self._solver = solver
        self._witness = witness
        self._patience = patience

    def differences(self, environments: Sequence[Environment], old: Checked, new: Checked) -> Iterator[Difference]:
        """Yield what changes: for all, and for the tenants whose own policies changed."""
        tenants = sorted({policy.tenant for policy in (*old.policies, *new.policies) if policy.tenant is not None})
        for tenant in (None, *tenants):
            sides = _Sides.of(old.of(tenant), new.of(tenant))
            if not any(policy.tenant == tenant for policy in sides.changed):
                continue
            witness = self._witness(sides.changed)
            for environment in environments:
                found = self._difference(environment, sides, witness, tenant)
                if found is not None:
                    yield found

    def _difference(
        self, environment: Environment, sides: _Sides, witness: Witness, tenant: str | None
    ) -> Difference | None:
        """Return what changes for one shape of request, or None if nothing does."""
        gained: list[Request] = []
        lost: list[Request] = []
        undecided: str | None = None
        for found, turned in ((gained, sides), (lost, sides.turned())):
            try:
                for request in self._gains(environment, turned, witness):
                    found.append(replace(request, tenant=tenant))
            except UndecidedError as exc:
                undecided = exc.reason
        if not gained and not lost and undecided is None:
            return None
        return _difference(environment, tenant, gained=gained, lost=lost, undecided=undecided)

    def _gains(self, environment: Environment, sides: _Sides, witness: Witness) -> Iterator[Request]:
        """Yield requests that are allowed only after, each by other causes than those before; none means no such.

        Whatever is gained has a cause: a permit that is new, or a policy gone that forbade or failed.
        """
        gain = all_of(_allowed(sides.after), not_(_allowed(sides.before)))
        fresh, gone = set(_missing(sides.after, sides.before)), set(_missing(sides.before, sides.after))
        told: list[Formula] = []
        for _ in range(_EXAMPLES):
            if self._patience.over:
                raise UndecidedError(OUT_OF_TIME)
            example = self._solver.find(environment, all_of(gain, not_(any_of(*told))))
            if example is None:
                return
            yield example.request
            effects = witness.effects(example.request)
            if effects is None:
                return
            causes = [takes_effect(policy) for policy in fresh & effects.effective if policy.effect is Effect.PERMIT]
            causes += [_stopped_by(policy) for policy in gone - effects.silent if _stops(policy, effects)]
            if not causes:
                return
            told += causes


def _allowed(policies: Sequence[Policy]) -> Formula:
    """Return that our engine allows: some permit, no forbid, and no policy that fails, since an error is a deny."""
    permits = [takes_effect(policy) for policy in policies if policy.effect is Effect.PERMIT]
    return all_of(any_of(*permits), not_(any_of(*(_stopped_by(policy) for policy in policies))))


def _stopped_by(policy: Policy) -> Formula:
    return fails(policy) if policy.effect is Effect.PERMIT else any_of(takes_effect(policy), fails(policy))


def _stops(policy: Policy, effects: Effects) -> bool:
    """Tell whether the policy, which is not silent, kept the request from being allowed."""
    return policy.effect is Effect.FORBID or policy not in effects.effective


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
