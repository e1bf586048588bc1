"""Formulas about policies decided by z3; what it finds counts only once Cedar says the same."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

import z3

from aeterna.cedar.errors import BundleInvalidError
from aeterna.policies.adapters.confirming import CedarConfirmer
from aeterna.policies.adapters.smt.encoding import EncodedPolicy, encoded
from aeterna.policies.adapters.smt.footprint import Footprint
from aeterna.policies.adapters.smt.model import request_of
from aeterna.policies.adapters.smt.naming import Names, impossible, like
from aeterna.policies.adapters.smt.patterns import matches
from aeterna.policies.adapters.smt.relations import above_axioms, order_axioms
from aeterna.policies.adapters.smt.sets import set_axioms
from aeterna.policies.adapters.smt.symbols import Symbols
from aeterna.policies.adapters.smt.values import FALSE, all_of, any_of, known, negated
from aeterna.policies.domain.typed.formula import (
    AllOf,
    AnyOf,
    Environment,
    Example,
    Fails,
    Formula,
    Not,
    TakesEffect,
    policies_of,
)
from aeterna.policies.domain.typed.schema import schema_of
from aeterna.policies.errors import UndecidedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aeterna.cedar.domain.request import Uid
    from aeterna.policies.domain.typed.policy import Policy

DEFAULT_TIMEOUT: Final = timedelta(seconds=2)
_MAX_LEMMAS: Final = 100


class Z3Solvers:
    """Makes a solver for each schema; a question may take z3 so long, and is undecided then."""

    def __init__(self, *, timeout: timedelta = DEFAULT_TIMEOUT) -> None:
        self._timeout = timeout

    def of(self, schema: str) -> Z3Solver:
        """Return the solver of Cedar's schema text, or raise `BundleInvalidError`."""
        try:
            confirmer = CedarConfirmer(schema)
        except ValueError as exc:
            raise BundleInvalidError("schema", str(exc)) from exc
        return Z3Solver(Symbols(schema_of(schema)), confirmer, timeout=self._timeout)


class Z3Solver:
    """Decides formulas by one schema. A policy is encoded once for each environment it is asked about in."""

    def __init__(self, symbols: Symbols, confirmer: CedarConfirmer, *, timeout: timedelta) -> None:
        self._symbols = symbols
        self._confirmer = confirmer
        self._timeout_ms = int(timeout.total_seconds() * 1000)
        self._environments = symbols.schema.environments()
        self._encoded: WeakKeyDictionary[Policy, dict[Environment, EncodedPolicy]] = WeakKeyDictionary()

    def environments(self) -> Sequence[Environment]:
        """Return every shape of request of the schema, sorted."""
        return self._environments

    def find(self, env: Environment, wanted: Formula) -> Example | None:
        """Return a request that Cedar confirms, or None: there is none; raise `UndecidedError` if neither is shown."""
        try:
            formula = self._formula(env, wanted)
            if formula is FALSE:
                return None
            return self._solved(env, wanted, formula)
        except z3.Z3Exception as exc:
            raise UndecidedError(f"z3 fails: {exc}") from exc
        except RecursionError as exc:
            raise UndecidedError("an expression is nested too deep") from exc

    def _formula(self, env: Environment, wanted: Formula) -> z3.BoolRef:
        match wanted:
            case TakesEffect(policy):
                return self._of(policy, env).takes_effect
            case Fails(policy):
                return self._of(policy, env).fails
            case Not(inner):
                return negated(self._formula(env, inner))
            case AllOf(several):
                return all_of(*(self._formula(env, one) for one in several))
            case AnyOf(several):
                return any_of(*(self._formula(env, one) for one in several))

    def _of(self, policy: Policy, env: Environment) -> EncodedPolicy:
        known_here = self._encoded.setdefault(policy, {})
        if env not in known_here:
            known_here[env] = encoded(policy, env, self._symbols)
        return known_here[env]

    def _solved(self, env: Environment, wanted: Formula, formula: z3.BoolRef) -> Example | None:
        footprint = Footprint()
        for policy in policies_of(wanted):
            footprint.add(self._of(policy, env).footprint)
        solver = z3.SimpleSolver()
        solver.set("timeout", self._timeout_ms)
        solver.add(formula, *_axioms(footprint, self._symbols))
        for _ in range(_MAX_LEMMAS):
            answer = solver.check()
            if answer == z3.unsat:
                return None
            if answer != z3.sat:
                raise UndecidedError(f"z3 gives up: {solver.reason_unknown()}")
            names = Names(solver.model(), footprint)
            unspellable = names.spelled()
            if unspellable is None:
                return self._confirmed(names, env, wanted, footprint)
            solver.add(*impossible(unspellable, footprint, self._symbols), *_literal_axioms(footprint))
        raise UndecidedError("the patterns of like leave too many strings to try")

    def _confirmed(self, names: Names, env: Environment, wanted: Formula, footprint: Footprint) -> Example:
        request = request_of(names, env, self._symbols, footprint)
        if not self._confirmer.fulfils(request, wanted):
            raise UndecidedError("Cedar does not confirm what z3 found, which is a defect of the encoding")
        return Example(request=request)


def _axioms(footprint: Footprint, symbols: Symbols) -> list[z3.BoolRef]:
    """Return what holds of everything the formula speaks of; sets go first, since their witnesses are spoken of too."""
    about_sets = list(set_axioms(footprint, symbols))
    about_sets.extend(above_axioms(footprint, symbols))
    about_order = list(order_axioms(footprint, symbols.schema))
    return [*about_sets, *about_order, *footprint.facts.values(), *_literal_axioms(footprint)]


def _literal_axioms(footprint: Footprint) -> Iterator[z3.BoolRef]:
    """Yield that literals differ, and which patterns they match."""
    if len(footprint.strings) > 1:
        yield z3.Distinct([plain.term for plain in footprint.strings.values()])
    by_type: dict[str, list[z3.ExprRef]] = defaultdict(list)
    uid: Uid
    for uid, plain in footprint.entities.items():
        by_type[uid.type].append(plain.term)
    for terms in by_type.values():
        if len(terms) > 1:
            yield z3.Distinct(terms)
    for pattern in {use.pattern for use in footprint.patterns.values()}:
        for text, plain in footprint.strings.items():
            yield like(pattern, plain.term) == known(matches(pattern, text))
