"""Answers which policies take effect together or without each other, asking a solver as rarely as it can.

A request that was found for one question answers many: Cedar tells which policies take effect on it, and so which pairs
it is an example for. Only what no known request shows is asked, in groups: "one that makes this policy take effect and
any of those". Every example settles some of the group, and when there is none, all that is left is settled at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from aeterna.cedar.domain.request import Request
from aeterna.policies.domain.pruning import apart
from aeterna.policies.domain.typed.formula import all_of, any_of, not_, takes_effect
from aeterna.policies.errors import UndecidedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from aeterna.policies.domain.memo import Fact, Memo
    from aeterna.policies.domain.pruning import Surroundings
    from aeterna.policies.domain.typed.formula import Formula
    from aeterna.policies.domain.typed.policy import Policy
    from aeterna.policies.ports import Solver, Witness

    Pair = tuple[Policy, Policy]

OUT_OF_TIME: Final = "the analysis ran out of time before it came to that"


class Ask(StrEnum):
    """What may be asked of two policies."""

    BOTH = "both"
    """Is there a request on which the first and the second take effect?"""
    WITHOUT = "without"
    """Is there a request on which the first takes effect and the second does not?"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undecided:
    """That a question could not be answered, and why."""

    reason: str

    @property
    def late(self) -> bool:
        """Whether it was not even asked, for want of time."""
        return self.reason == OUT_OF_TIME


Answer = Request | Undecided | None
"""A request that shows it, or None: there is none, or that neither could be shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """When to stop asking: ``clock`` is in seconds, and ``until`` is a moment of it."""

    clock: Callable[[], float]
    until: float

    @property
    def over(self) -> bool:
        """Whether no time is left."""
        return self.clock() >= self.until


class Answers:
    """The answers about one set of policies under one schema; an answer of None means that there is no such request."""

    def __init__(
        self,
        solver: Solver,
        witness: Witness,
        policies: Sequence[Policy],
        places: Sequence[Surroundings],
        memo: Memo,
        patience: Patience,
    ) -> None:
        self._solver = solver
        self._witness = witness
        self._policies = policies
        self._places = places
        self._memo = memo
        self._patience = patience
        self._seen: list[Request] = []
        # By policy, one bit for each request seen: whether it takes effect there, and whether it surely does not.
        self._effective: Counter[Policy] = Counter()
        self._silent: Counter[Policy] = Counter()
        # By policy, one bit for each place whose requests its head can match.
        self._reach = {
            policy: sum(1 << number for number, place in enumerate(places) if place.admit(policy))
            for policy in policies
        }
        for request in memo.requests():
            self._look_at(request)

    def meeting(self, own: Sequence[Policy], others: Sequence[Policy]) -> Iterator[Pair]:
        """Yield pairs of own policies, and of one with another one, of which some request may match both heads.

        There may be millions of other pairs, so those are never made.
        """
        policies = (*own, *others)
        reaches = [self._reach[policy] for policy in policies]
        for number, one in enumerate(own, 1):
            reach = self._reach[one]
            for other in [policies[at] for at in range(number, len(policies)) if reach & reaches[at]]:
                if not apart(one, other):
                    yield one, other

    def alone(self, policy: Policy) -> Answer:
        """Return a request on which the policy takes effect."""
        if shown := self._shown(self._effective[policy]):
            return shown
        undecided: Undecided | None = None
        for place in self._places:
            fact = self._memo.fact(place.environment, "alone", policy, policy)
            if not place.admit(policy) or fact in self._memo:
                continue
            answer = self._find(place, takes_effect(policy))
            if isinstance(answer, Undecided):
                undecided = answer
            elif answer is None:
                self._memo.add([fact])
            elif shown := self._shown(self._effective[policy]):
                return shown
            else:
                undecided = Undecided(reason="Cedar does not confirm the example that was found")
        return undecided

    def settle(
        self, ask: Ask, pairs: Iterable[Pair], *, told: Callable[[int], None] | None = None
    ) -> Mapping[Pair, Answer]:
        """Return the answer for each pair; ``told`` learns how many are still open."""
        asked = list(dict.fromkeys(pairs))
        undecided: dict[Pair, Undecided] = {}
        still_open = [pair for pair in asked if not self._example_of(ask, pair)]
        for place in self._places:
            admitted = {policy for policy in self._policies if place.admit(policy)}
            here = [pair for pair in still_open if _may_be(ask, pair, admitted)]
            for group in _groups(here):
                todo = {pair: fact for pair in group if (fact := self._unknown(ask, place, pair)) is not None}
                self._eliminate(ask, place, todo, undecided)
            still_open = [pair for pair in still_open if not self._example_of(ask, pair)]
            if told is not None:
                told(len(still_open))
        return {pair: self._example_of(ask, pair) or undecided.get(pair) for pair in asked}

    def example(self, one: Policy, other: Policy) -> Request | None:
        """Return a request, if any is known, on which both take effect."""
        return self._example_of(Ask.BOTH, (one, other))

    def shows(self, request: Request, policies: Iterable[Policy], kept: Sequence[Mapping[str, object]]) -> bool:
        """Tell whether all of the policies take effect on the request where these entities are kept."""
        effects = self._witness.effects(request, kept)
        return effects is not None and effects.effective.issuperset(policies)

    def _unknown(self, ask: Ask, place: Surroundings, pair: Pair) -> Fact | None:
        """Return what would be learned of a pair here, or None when it is known already."""
        if self._example_of(ask, pair):
            return None
        fact = self._memo.fact(place.environment, ask, *pair)
        return None if fact in self._memo else fact

    def _eliminate(
        self, ask: Ask, place: Surroundings, group: dict[Pair, Fact], undecided: dict[Pair, Undecided]
    ) -> None:
        """Settle a group of pairs that share a policy, in this one environment."""
        while group:
            answer = self._find(place, _formula(ask, group))
            if answer is None:
                self._memo.add(group.values())
                return
            left = {pair: fact for pair, fact in group.items() if not self._example_of(ask, pair)}
            if isinstance(answer, Undecided) or len(left) == len(group):
                self._halve(ask, place, left, answer, undecided)
                return
            group = left

    def _halve(
        self,
        ask: Ask,
        place: Surroundings,
        group: dict[Pair, Fact],
        answer: Answer,
        undecided: dict[Pair, Undecided],
    ) -> None:
        """Ask in smaller groups, so that one hard pair leaves only itself undecided."""
        pairs = list(group)
        if len(pairs) > 1 and not self._patience.over:
            for half in (pairs[: len(pairs) // 2], pairs[len(pairs) // 2 :]):
                self._eliminate(ask, place, {pair: group[pair] for pair in half}, undecided)
            return
        reason = answer if isinstance(answer, Undecided) else Undecided(reason="Cedar does not confirm the example")
        undecided.update(dict.fromkeys(pairs, reason))

    def _find(self, place: Surroundings, wanted: Formula) -> Answer:
        if self._patience.over:
            return Undecided(reason=OUT_OF_TIME)
        try:
            found = self._solver.find(place.environment, wanted)
        except UndecidedError as exc:
            return Undecided(reason=exc.reason)
        if found is None:
            return None
        self._look_at(found.request)
        self._memo.remember(found.request)
        return found.request

    def _look_at(self, request: Request) -> None:
        """Note which policies take effect on a request, as Cedar says."""
        effects = self._witness.effects(request)
        if effects is None:
            return
        bit = 1 << len(self._seen)
        self._seen.append(request)
        for policy in effects.effective:
            self._effective[policy] |= bit
        for policy in effects.silent:
            self._silent[policy] |= bit

    def _example_of(self, ask: Ask, pair: Pair) -> Request | None:
        one, other = pair
        return self._shown(self._effective[one] & (self._effective if ask is Ask.BOTH else self._silent)[other])

    def _shown(self, bits: int) -> Request | None:
        """Return the first request of those whose bits are set."""
        return self._seen[(bits & -bits).bit_length() - 1] if bits else None


def _formula(ask: Ask, group: Iterable[Pair]) -> Formula:
    """Return that any of the pairs is shown; since they share a policy, one side is that alone."""
    ones = dict.fromkeys(one for one, _ in group)
    others = (takes_effect(other) for other in dict.fromkeys(other for _, other in group))
    seconds = others if ask is Ask.BOTH else (not_(other) for other in others)
    return all_of(any_of(*(takes_effect(one) for one in ones)), any_of(*seconds))


def _may_be(ask: Ask, pair: Pair, admitted: set[Policy]) -> bool:
    """Tell whether the heads leave the question open where these policies are admitted."""
    one, other = pair
    return one in admitted and (ask is Ask.WITHOUT or (other in admitted and not apart(one, other)))


def _groups(pairs: Sequence[Pair]) -> Iterator[list[Pair]]:
    """Yield pairs that share a policy, the largest groups first, each pair once.

    From nothing that is a policy with all its others; after a change it is the changed one with all others.
    """
    sides: dict[tuple[int, Policy], list[Pair]] = {}
    for pair in pairs:
        for side in (0, 1):
            sides.setdefault((side, pair[side]), []).append(pair)
    left = set(pairs)
    for shared in sorted(sides.values(), key=len, reverse=True):
        group = [pair for pair in shared if pair in left]
        left.difference_update(group)
        if group:
            yield group
