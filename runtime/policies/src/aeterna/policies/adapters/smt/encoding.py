"""Policies as formulas: each expression becomes a value and the condition under which it has one.

After Cedar's own symbolic compiler (cedar-policy/cedar-spec, SymCC): the type of every expression is known in an
environment, an error is the absence of a value, and ``&&``, ``||`` and ``if`` evaluate no more than Cedar does. What is
known before z3 is asked is folded, so a policy that is not about an environment costs nothing there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import z3

from aeterna.policies.adapters.smt.equality import equal, merged
from aeterna.policies.adapters.smt.footprint import Footprint, PatternUse
from aeterna.policies.adapters.smt.naming import like
from aeterna.policies.adapters.smt.operators import OPERATORS
from aeterna.policies.adapters.smt.outcome import ERROR, Outcome, holds, truth
from aeterna.policies.adapters.smt.patterns import matches
from aeterna.policies.adapters.smt.relations import inside
from aeterna.policies.adapters.smt.sets import literal
from aeterna.policies.adapters.smt.values import (
    FALSE,
    TRUE,
    Entity,
    Number,
    Record,
    Text,
    Truth,
    all_of,
    any_of,
    implied,
    known,
    negated,
)
from aeterna.policies.domain.typed.expressions import (
    And,
    Call,
    Expression,
    GetAttribute,
    HasAttribute,
    IfThenElse,
    Is,
    Like,
    Literal,
    Or,
    RecordOf,
    SetOf,
    Unread,
    Var,
    Variable,
)
from aeterna.policies.domain.typed.types import Attribute, EntityOf, RecordType, Scalar
from aeterna.policies.errors import UndecidedError

if TYPE_CHECKING:
    from aeterna.cedar.domain.request import Uid
    from aeterna.policies.adapters.smt.symbols import Symbols
    from aeterna.policies.adapters.smt.values import Value
    from aeterna.policies.domain.typed.formula import Environment
    from aeterna.policies.domain.typed.policy import Policy, Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedPolicy:
    """When the policy takes effect, when it fails, and the footprint of both."""

    takes_effect: z3.BoolRef
    fails: z3.BoolRef
    footprint: Footprint


def encoded(policy: Policy, env: Environment, symbols: Symbols) -> EncodedPolicy:
    """Return the policy as formulas over requests of this environment, or raise `UndecidedError`."""
    encoder = _Encoder(env, symbols)
    head = encoder.head(policy)
    if head is FALSE:
        return EncodedPolicy(takes_effect=FALSE, fails=FALSE, footprint=encoder.footprint)
    value, defined = head, TRUE
    for condition in policy.conditions:
        if value is FALSE:
            break
        outcome = encoder.boolean(condition.body)
        defined = all_of(defined, implied(value, outcome.defined))
        value = all_of(value, negated(holds(outcome)) if condition.unless else holds(outcome))
    return EncodedPolicy(takes_effect=all_of(defined, value), fails=negated(defined), footprint=encoder.footprint)


class _Encoder:
    """Encodes the expressions of one policy in one environment."""

    def __init__(self, env: Environment, symbols: Symbols) -> None:
        self.symbols = symbols
        self.footprint = Footprint()
        self._context = symbols.schema.actions[env.action].context
        self._variables: dict[Variable, Entity] = {
            Variable.PRINCIPAL: symbols.variable("principal", EntityOf(env.principal_type), self.footprint),
            Variable.ACTION: symbols.entity(env.action, self.footprint),
            Variable.RESOURCE: symbols.variable("resource", EntityOf(env.resource_type), self.footprint),
        }

    def head(self, policy: Policy) -> z3.BoolRef:
        """Return whether the scope holds; a scope cannot fail."""
        parts = [
            self._scope(policy.action, self._variables[Variable.ACTION]),
            self._scope(policy.principal, self._variables[Variable.PRINCIPAL]),
            self._scope(policy.resource, self._variables[Variable.RESOURCE]),
        ]
        return all_of(*parts)

    def _scope(self, scope: Scope, found: Entity) -> z3.BoolRef:
        if scope.type is not None and found.type.name != scope.type:
            return FALSE
        parts: list[z3.BoolRef] = []
        if scope.equal is not None:
            parts.append(equal(found, self._entity(scope.equal), self.symbols, self.footprint))
        if scope.within is not None:
            above = (self._entity(uid) for uid in scope.within)
            parts.append(any_of(*(inside(found, entity, self.symbols, self.footprint) for entity in above)))
        return all_of(*parts)

    def _entity(self, uid: Uid) -> Entity:
        return self.symbols.entity(uid, self.footprint)

    def boolean(self, expression: Expression) -> Outcome:
        """Return the outcome of an expression that must be a boolean, which is an error if it is none."""
        outcome = self.outcome(expression)
        return outcome if isinstance(outcome.value, Truth) else ERROR

    def outcome(self, expression: Expression) -> Outcome:  # noqa: C901, PLR0911, PLR0912 - one for each form
        """Return what an expression evaluates to, or raise `UndecidedError`."""
        match expression:
            case Literal(value):
                return Outcome(self._literal(value))
            case Var(Variable.CONTEXT):
                return Outcome(self._whole_context())
            case Var(name):
                return Outcome(self._variables[name])
            case And(parts):
                return self._chain(parts, stop=False)
            case Or(parts):
                return self._chain(parts, stop=True)
            case IfThenElse():
                return self._choice(expression)
            case Call(name, arguments):
                return self._call(name, arguments)
            case GetAttribute() | HasAttribute():
                return self._attribute(expression)
            case Is(of, type_):
                found = self.outcome(of)
                return found.of(lambda value: _is(value, type_))
            case Like(of, pattern):
                found = self.outcome(of)
                return found.of(lambda value: self._like(value, pattern))
            case SetOf(elements):
                return self._set([self.outcome(element) for element in elements])
            case RecordOf(fields):
                return self._record([(name, self.outcome(value)) for name, value in fields])
            case Unread(reason):
                raise UndecidedError(reason)

    def _literal(self, value: bool | int | str | Uid) -> Value:  # noqa: FBT001 - the value is what it is about
        if isinstance(value, bool):
            return Truth(known(value))
        if isinstance(value, int):
            return Number(Scalar.LONG, z3.IntVal(value))
        if isinstance(value, str):
            return self.symbols.string(value, self.footprint)
        return self._entity(value)

    def _chain(self, parts: tuple[Expression, ...], *, stop: bool) -> Outcome:
        """Evaluate parts while none of them is ``stop``: all of them for ``&&``, any of them for ``||``."""
        going, defined = TRUE, TRUE
        for part in parts:
            if going is FALSE or defined is FALSE:
                break
            outcome = self.boolean(part)
            defined = all_of(defined, implied(going, outcome.defined))
            going = all_of(going, negated(holds(outcome)) if stop else holds(outcome))
        return truth(negated(going) if stop else going, defined)

    def _choice(self, expression: IfThenElse) -> Outcome:
        condition = self.boolean(expression.condition)
        chosen = holds(condition)
        if condition.defined is FALSE:
            return ERROR
        if chosen is TRUE or chosen is FALSE:
            only = self.outcome(expression.yes if chosen is TRUE else expression.no)
            return Outcome(only.value, all_of(condition.defined, only.defined))
        yes, no = self.outcome(expression.yes), self.outcome(expression.no)
        defined = all_of(condition.defined, implied(chosen, yes.defined), any_of(chosen, no.defined))
        if yes.value is None or no.value is None:
            return Outcome(yes.value if no.value is None else no.value, defined)
        return Outcome(merged(chosen, yes.value, no.value), defined)

    def _call(self, name: str, arguments: tuple[Expression, ...]) -> Outcome:
        if name == "in" and isinstance(arguments[1], SetOf):
            return self._inside_list(arguments[0], arguments[1].elements)
        outcomes = [self.outcome(argument) for argument in arguments]
        values = [outcome.value for outcome in outcomes if outcome.value is not None]
        if len(values) < len(outcomes):
            return ERROR
        operator = OPERATORS.get(name)
        if operator is None:
            raise UndecidedError(f"the function {name} is not encoded")
        defined = all_of(*(outcome.defined for outcome in outcomes))
        return operator(values, self.symbols, self.footprint).after(defined)

    def _inside_list(self, entity: Expression, written: tuple[Expression, ...]) -> Outcome:
        """Encode ``entity in [a, b]`` as in a or in b: a list that is written out needs no set."""
        outcomes = [self.outcome(entity), *(self.outcome(element) for element in written)]
        values = [outcome.value for outcome in outcomes if isinstance(outcome.value, Entity)]
        if len(values) < len(outcomes):
            return ERROR
        found = (inside(values[0], above, self.symbols, self.footprint) for above in values[1:])
        return truth(any_of(*found), all_of(*(outcome.defined for outcome in outcomes)))

    def _whole_context(self) -> Record:
        names = (name for name, _ in self._context.attributes)
        read = {name: self.symbols.context(self._context, name, self.footprint) for name in names}
        return Record(self._context, {name: found for name, found in read.items() if found is not None})

    def _attribute(self, expression: GetAttribute | HasAttribute) -> Outcome:
        if expression.of == Var(Variable.CONTEXT):
            # What no policy looks at in the context is nothing that z3 has to find a value for.
            found = self.symbols.context(self._context, expression.name, self.footprint)
            return _read(expression, found, TRUE)
        of = self.outcome(expression.of)
        if of.value is None:
            return ERROR
        if isinstance(of.value, Record):
            found = of.value.fields.get(expression.name)
        elif isinstance(of.value, Entity):
            found = self.symbols.attribute(of.value, expression.name, self.footprint)
        else:
            return ERROR
        return _read(expression, found, of.defined)

    def _like(self, value: Value, pattern: tuple[str | None, ...]) -> Outcome:
        if not isinstance(value, Text):
            return ERROR
        text = self.symbols.text_of(value.term)
        if text is not None:
            return truth(known(matches(pattern, text)))
        if None not in pattern:
            exact = self.symbols.string("".join(part or "" for part in pattern), self.footprint)
            return truth(value.term == exact.term)
        atom = like(pattern, value.term)
        self.footprint.patterns[value.term.get_id(), pattern] = PatternUse(pattern, value, atom)
        return truth(atom)

    def _set(self, elements: list[Outcome]) -> Outcome:
        values = [element.value for element in elements if element.value is not None]
        if len(values) < len(elements):
            return ERROR
        found = literal(values, self.symbols, self.footprint)
        return Outcome(found, all_of(*(element.defined for element in elements)))

    def _record(self, fields: list[tuple[str, Outcome]]) -> Outcome:
        values = {name: (TRUE, outcome.value) for name, outcome in fields if outcome.value is not None}
        if len(values) < len(fields):
            return ERROR
        type_ = RecordType.of({name: Attribute(value.type) for name, (_, value) in values.items()})
        return Outcome(Record(type_, values), all_of(*(outcome.defined for _, outcome in fields)))


def _read(
    expression: GetAttribute | HasAttribute, found: tuple[z3.BoolRef, Value] | None, defined: z3.BoolRef
) -> Outcome:
    if isinstance(expression, HasAttribute):
        return truth(found[0] if found is not None else FALSE, defined)
    return ERROR if found is None else Outcome(found[1], all_of(defined, found[0]))


def _is(value: Value, type_: str) -> Outcome:
    return truth(known(value.type.name == type_)) if isinstance(value, Entity) else ERROR
