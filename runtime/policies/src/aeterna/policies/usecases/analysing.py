"""Finds what is wrong with the policies of a bundle: what contradicts, what repeats, and what does nothing."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Final

from aeterna.cedar.errors import BundleInvalidError
from aeterna.policies.domain import annotations, wording
from aeterna.policies.domain.findings import Finding, Kind, Place, Report
from aeterna.policies.domain.typed.policy import Effect, Policy
from aeterna.policies.errors import UndecidedError
from aeterna.policies.usecases.answering import OUT_OF_TIME, Ask, Undecided
from aeterna.policies.usecases.presenting import Presenting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from aeterna.cedar.domain.bundle import Bundle
    from aeterna.policies.domain.checked import Checked
    from aeterna.policies.ports import Checker
    from aeterna.policies.usecases.answering import Answer, Answers

    Pair = tuple[Policy, Policy]
    Progress = Callable[[int, int], None]


MOST_PAIRS: Final = 1_000_000
"""Pairs that are compared at most: each costs 600 bytes and more, and whoever proposes decides how many there are."""


class Analysing:
    """Analyses bundles; ``answers`` makes what answers questions about policies under a schema."""

    def __init__(
        self, checker: Checker, answers: Callable[[str, Sequence[Policy]], Answers], *, most_pairs: int = MOST_PAIRS
    ) -> None:
        self._checker = checker
        self._answers = answers
        self._most_pairs = most_pairs

    def analyse(self, bundle: Bundle, *, progress: Progress | None = None) -> Report:
        """Return every finding. An invalid bundle has no others: nothing that is said of it could be relied on."""
        checked = self._checker.check(bundle)
        findings, pairs = list(checked.findings), 0
        if not any(found.kind is Kind.INVALID for found in findings):
            try:
                answers = self._answers(bundle.schema, checked.policies)
            except (UndecidedError, BundleInvalidError) as exc:
                # Cedar takes this schema, so it is we who do not understand it.
                findings.append(_all_undecided(bundle, exc))
            else:
                found = _Analysis(checked, answers, progress, self._most_pairs)
                presenting = Presenting(bundle, checked, answers)
                findings.extend(presenting.presented(finding) for finding in found.findings())
                pairs = found.compared
        return Report(
            digest=bundle.digest(),
            findings=tuple(sorted(findings, key=_order)),
            policies=len(checked.policies),
            pairs=pairs,
        )


@dataclass(frozen=True, slots=True)
class _Set:
    """The policies of a tenant, or those of all, whose pairs are to be compared; shared pairs are compared once."""

    tenant: str | None
    policies: tuple[Policy, ...]

    def own(self, policy: Policy) -> bool:
        return policy.tenant == self.tenant

    def __len__(self) -> int:
        """Return how many pairs there are, those that never meet included."""
        shared = sum(not self.own(policy) for policy in self.policies)
        return math.comb(len(self.policies), 2) - math.comb(shared, 2)

    def pairs(self, answers: Answers) -> Iterator[Pair]:
        """Yield the pairs that may meet; all others have nothing to do with each other."""
        own = [policy for policy in self.policies if self.own(policy)]
        shared = [policy for policy in self.policies if not self.own(policy)]
        for one, other in answers.meeting(own, shared):
            # A permit comes before the forbid that may stop it.
            yield (other, one) if one.effect is Effect.FORBID and other.effect is Effect.PERMIT else (one, other)


class _Analysis:
    """One analysis of one bundle."""

    def __init__(self, checked: Checked, answers: Answers, progress: Progress | None, most_pairs: int) -> None:
        self._checked = checked
        self._answers = answers
        self._progress = progress
        self._alone: dict[Policy, Answer] = {}
        # With how many others a policy could not be compared for want of time: told once, since they may be thousands.
        self._late: Counter[tuple[Policy, str | None]] = Counter()
        tenants = sorted({policy.tenant for policy in checked.policies if policy.tenant is not None})
        self._sets = [_Set(tenant, checked.of(tenant)) for tenant in (None, *tenants)]
        met = ((set_, pair) for set_ in self._sets for pair in set_.pairs(answers))
        self._pairs = list(islice(met, most_pairs + 1))
        self._most_pairs = most_pairs
        self.compared = sum(map(len, self._sets))

    def findings(self) -> Iterator[Finding]:
        """Yield what is to be said, in no order."""
        for policy in self._checked.policies:
            self._alone[policy] = self._answers.alone(policy)
            yield from self._of_one(policy)
        if len(self._pairs) > self._most_pairs:
            yield _too_many(self._checked, self._most_pairs)
            return
        live = [(set_, pair) for set_, pair in self._pairs if all(self._may_act(policy) for policy in pair)]
        opposing = [(set_, pair) for set_, pair in live if pair[0].effect is not pair[1].effect]
        alike = [(set_, pair) for set_, pair in live if pair[0].effect is pair[1].effect]
        both = self._settled(Ask.BOTH, (pair for _, pair in opposing), self.compared)
        meeting = [pair for _, pair in opposing if both[pair] is not None]
        ways = [way for _, (one, other) in alike for way in ((one, other), (other, one))]
        without = self._settled(Ask.WITHOUT, (*meeting, *ways), len(alike))
        for set_, pair in opposing:
            yield from self._opposition(set_.tenant, pair, both[pair], without.get(pair))
        for set_, (one, other) in alike:
            yield from self._likeness(set_, (one, other), without[one, other], without[other, one])
        yield from self._idle_annotations(both)
        for (policy, tenant), others in self._late.items():
            yield _finding(Kind.UNDECIDED, (policy,), tenant, wording.late(policy, others, OUT_OF_TIME))

    def _settled(self, ask: Ask, pairs: Iterable[Pair], left: int) -> Mapping[Pair, Answer]:
        def told(still_open: int) -> None:
            if self._progress is not None:
                self._progress(max(0, self.compared - min(left, still_open)), self.compared)

        return self._answers.settle(ask, pairs, told=told)

    def _may_act(self, policy: Policy) -> bool:
        """Tell whether comparing the policy says anything: one that never takes effect would be like everything."""
        return self._alone[policy] is not None and not isinstance(self._alone[policy], Undecided)

    def _of_one(self, policy: Policy) -> Iterator[Finding]:
        answer = self._alone[policy]
        if answer is None:
            yield _finding(Kind.VACUOUS, (policy,), policy.tenant, wording.vacuous(policy))
        elif isinstance(answer, Undecided):
            yield _finding(Kind.UNDECIDED, (policy,), policy.tenant, wording.undecided_alone(policy, answer.reason))

    def _opposition(self, tenant: str | None, pair: Pair, both: Answer, without: Answer) -> Iterator[Finding]:
        """Yield what a forbid does to a permit."""
        permit, forbid = pair
        excuse = annotations.excuse(permit, forbid)
        if isinstance(both, Undecided):
            yield from self._undecided(tenant, pair, both, wording.undecided_opposition(permit, forbid, both.reason))
        elif both is not None and without is None:
            message = wording.overridden(permit, forbid)
            yield _finding(Kind.OVERRIDDEN, pair, tenant, message, both, intended=excuse)
        elif both is not None:
            # Undecided may be whether anything is left of the permit; that the two oppose each other is certain.
            message = wording.opposing(permit, forbid)
            yield _finding(Kind.OPPOSING, pair, tenant, message, both, intended=excuse)

    def _undecided(self, tenant: str | None, pair: Pair, answer: Undecided, message: str) -> Iterator[Finding]:
        if answer.late:
            self._late[pair[0], tenant] += 1
        else:
            yield _finding(Kind.UNDECIDED, pair, tenant, message)

    def _likeness(self, set_: _Set, pair: Pair, only_one: Answer, only_other: Answer) -> Iterator[Finding]:
        """Yield what one policy of the same effect as another says of it; the example is one of both."""
        one, other = pair
        kind = Kind.SHADOWED_PERMIT if one.effect is Effect.PERMIT else Kind.SHADOWED_FORBID
        example = self._answers.example(one, other)
        if only_one is None and only_other is None:
            later, earlier = _to_change(set_, one, other)
            yield _finding(Kind.REDUNDANT, (later, earlier), set_.tenant, wording.redundant(later, earlier), example)
        elif only_one is None or only_other is None:
            inner, outer = (one, other) if only_one is None else (other, one)
            yield _finding(kind, (inner, outer), set_.tenant, wording.shadowed(inner, outer), example)
        else:
            for answer in (only_one, only_other):
                if isinstance(answer, Undecided):
                    message = wording.undecided_likeness(one, other, answer.reason)
                    yield from self._undecided(set_.tenant, pair, answer, message)
                    break

    def _idle_annotations(self, both: Mapping[Pair, Answer]) -> Iterator[Finding]:
        """Yield the annotations that excuse nothing, as far as that is known."""
        for policy in self._checked.policies:
            if not self._may_act(policy):
                continue
            if annotations.is_guardrail(policy):
                answers = [answer for (_, forbid), answer in both.items() if forbid is policy]
                if all(answer is None for answer in answers) and not self._undecided_permits():
                    message = wording.idle_guardrail(policy)
                    yield _finding(Kind.IDLE_ANNOTATION, (policy,), policy.tenant, message)
            for name in annotations.overridden_by(policy):
                named = [pair for pair in both if pair[0] is policy and pair[1].id == name]
                forbids = [one for one in self._checked.policies if one.id == name and self._may_act(one)]
                if forbids and all(both[pair] is None for pair in named):
                    message = wording.idle_override(policy, forbids[0])
                    yield _finding(Kind.IDLE_ANNOTATION, (policy, forbids[0]), forbids[0].tenant, message)

    def _undecided_permits(self) -> bool:
        return any(
            policy.effect is Effect.PERMIT and isinstance(answer, Undecided) for policy, answer in self._alone.items()
        )


def _finding(
    kind: Kind,
    policies: tuple[Policy, ...],
    tenant: str | None,
    message: str,
    example: Answer = None,
    *,
    intended: str | None = None,
) -> Finding:
    return Finding(
        kind=kind,
        policies=tuple(policy.id for policy in policies),
        message=message,
        place=policies[0].place,
        tenant=tenant,
        example=None if example is None or isinstance(example, Undecided) else replace(example, tenant=tenant),
        intended=intended,
    )


def _too_many(checked: Checked, most: int) -> Finding:
    return Finding(
        kind=Kind.UNDECIDED,
        policies=(),
        message=f"more than {most:,} pairs of policies may meet, so none was compared: narrow their scopes",
        place=checked.policies[0].place,
    )


def _all_undecided(bundle: Bundle, error: UndecidedError | BundleInvalidError) -> Finding:
    return Finding(
        kind=Kind.UNDECIDED,
        policies=(),
        message=f"the analysis does not understand this schema, so nothing was compared: {error.reason}",
        place=Place(file=bundle.schema_file),
    )


def _to_change(set_: _Set, one: Policy, other: Policy) -> Pair:
    """Return two equal policies with the one to remove first: the tenant's own, or else the later one."""
    if set_.own(one) != set_.own(other):
        return (one, other) if set_.own(one) else (other, one)
    return (other, one)


def _order(found: Finding) -> tuple[str, int, str, tuple[str, ...], str]:
    return found.place.file, found.place.line or 0, found.kind, found.policies, found.tenant or ""
