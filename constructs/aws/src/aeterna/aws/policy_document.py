"""IAM policies as data: statements that constructs offer as grants, and the one place that renders them as JSON.

A store hands out `Statement` values that name exactly what a caller needs; an identity attaches them, a key or a bucket
puts them into its own resource policy. Source of the shapes: the IAM User Guide, "IAM JSON policy elements reference".
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from aeterna.contracts.errors import InvalidSpecError

if TYPE_CHECKING:
    from collections.abc import Iterable

VERSION = "2012-10-17"
_SID = re.compile(r"[A-Za-z0-9]{1,100}")
_ACTION = re.compile(r"[a-z0-9-]+:[A-Za-z0-9*]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One test of the request context: ``values`` are alternatives, several conditions must all hold.

    ``test`` is the operator (``StringEquals``, ``Bool``, ``Null`` …), ``variable`` the context key.
    """

    test: str
    variable: str
    values: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse a test against nothing: IAM would never match it, and a deny would silently never apply."""
        if not self.values:
            raise InvalidSpecError("Condition", "values", f"{self.variable} is tested against nothing", "name a value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who a resource policy or a trust policy speaks about; ``kind`` is IAM's principal type."""

    kind: Literal["AWS", "Service", "Federated", "*"]
    identifiers: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse a principal without a name."""
        if not self.identifiers:
            raise InvalidSpecError("Principal", "identifiers", "no principal is named", "name at least one")


EVERYONE = Principal(kind="*", identifiers=("*",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement of a policy; frozen, so that a grant can be passed around and compared.

    ``resources`` is empty in a trust policy and there only; ``principals`` is empty in an identity's policy.
    ``actions`` are spelled out with their service: a bare ``*`` is refused.
    """

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...] = ()
    effect: Literal["Allow", "Deny"] = "Allow"
    conditions: tuple[Condition, ...] = ()
    principals: tuple[Principal, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what IAM would refuse at apply, and what grants more than anyone means."""
        if not _SID.fullmatch(self.sid):
            raise InvalidSpecError("Statement", "sid", f"{self.sid!r} is not alphanumeric", "use letters and digits")
        if not self.actions:
            raise InvalidSpecError("Statement", "actions", f"{self.sid} allows nothing", "name at least one action")
        for action in self.actions:
            if not _ACTION.fullmatch(action):
                problem = f"{action!r} is not 'service:Action'"
                raise InvalidSpecError("Statement", "actions", problem, "name the service and the action")
        if not self.resources and not self.principals:
            problem = f"{self.sid} names neither a resource nor a principal"
            raise InvalidSpecError("Statement", "resources", problem, "name what the actions are allowed on")
        if EVERYONE in self.principals and self.effect == "Allow" and not self.conditions:
            problem = f"{self.sid} allows everyone without a condition"
            raise InvalidSpecError("Statement", "principals", problem, "name the principals, or add a condition")


def sid(verb: str, name: str, noun: str = "") -> str:
    """Return a statement's id that says what it is for and which store it speaks of: ``ReadAcmeGraphObjects``.

    The name keeps grants of several stores apart in one policy.
    """
    return f"{verb}{''.join(word.capitalize() for word in name.split('-'))}{noun}"


def document(statements: Iterable[Statement]) -> str:
    """Return the policy as JSON, the same text for the same statements; deploy-time values stay unresolved inside it.

    Raises `InvalidSpecError` when the policy is empty or two statements share a sid.
    """
    rendered = tuple(statements)
    if not rendered:
        raise InvalidSpecError("Policy", "statements", "the policy is empty", "add a statement")
    seen: set[str] = set()
    for statement in rendered:
        if statement.sid in seen:
            raise InvalidSpecError("Policy", "sid", f"{statement.sid!r} occurs twice", "name every statement apart")
        seen.add(statement.sid)
    policy = {"Version": VERSION, "Statement": [_rendered(statement) for statement in rendered]}
    return json.dumps(policy, separators=(",", ":"))


def _rendered(statement: Statement) -> dict[str, object]:
    rendered: dict[str, object] = {"Sid": statement.sid, "Effect": statement.effect}
    if statement.principals:
        rendered["Principal"] = _principals(statement.principals)
    rendered["Action"] = list(statement.actions)
    if statement.resources:
        rendered["Resource"] = list(statement.resources)
    if statement.conditions:
        rendered["Condition"] = _conditions(statement.conditions)
    return rendered


def _principals(principals: tuple[Principal, ...]) -> str | dict[str, list[str]]:
    if EVERYONE in principals:
        return "*"
    named: defaultdict[str, list[str]] = defaultdict(list)
    for principal in principals:
        named[principal.kind].extend(principal.identifiers)
    return dict(named)


def _conditions(conditions: tuple[Condition, ...]) -> dict[str, dict[str, list[str]]]:
    tests: defaultdict[str, dict[str, list[str]]] = defaultdict(dict)
    for condition in conditions:
        variables = tests[condition.test]
        if condition.variable in variables:
            problem = f"{condition.test} tests {condition.variable} twice, and the policy could keep only one"
            raise InvalidSpecError("Statement", "conditions", problem, "put the alternatives into one condition")
        variables[condition.variable] = list(condition.values)
    return dict(tests)
