"""Reads IAM policies out of resources and data sources: what they grant, and whom they trust."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from aeterna.synth.rules.grants import Grant, Trust
from aeterna.synth.rules.subject import EXPRESSION, Json, as_list, as_mapping

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.synth.rules.subject import Subject

DOCUMENT: Final = "data.aws_iam_policy_document"
TRUST: Final = "assume_role_policy"
POLICIES: Final = ("policy", TRUST, "inline_policy?.policy", "access_policy", "access_policies", "resource_policy")
EVERYTHING: Final = frozenset({"AdministratorAccess", "PowerUserAccess", "IAMFullAccess"})
"""Policies of AWS's own that leave hardly anything out."""
ESCALATING: Final = frozenset(
    {
        "iam:*",
        "iam:AddUserToGroup",
        "iam:AttachRolePolicy",
        "iam:AttachUserPolicy",
        "iam:CreateAccessKey",
        "iam:CreateLoginProfile",
        "iam:CreatePolicyVersion",
        "iam:PassRole",
        "iam:PutRolePolicy",
        "iam:PutUserPolicy",
        "iam:SetDefaultPolicyVersion",
        "iam:UpdateAssumeRolePolicy",
        "sts:*",
        "sts:AssumeRole",
    }
)
PODS: Final = "pods.eks.amazonaws.com"
EXACT: Final = ("StringEquals", "StringEqualsIgnoreCase", "ArnEquals", "ForAnyValue:StringEquals")


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement of a policy, however it was written."""

    where: str
    allows: bool
    actions: tuple[str, ...]
    every_action_but: bool
    resources: tuple[str, ...]
    principals: Mapping[str, tuple[str, ...]]
    """The identifiers by kind; empty in an identity's own policy."""
    conditions: tuple[tuple[str, str, tuple[str, ...]], ...]
    """Operator, variable and values."""

    @property
    def everyone(self) -> bool:
        """Say whether it speaks of anybody at all."""
        return any("*" in identifiers for kind, identifiers in self.principals.items() if kind in {"AWS", "*"})

    def tests(self, variable: str) -> list[tuple[str, tuple[str, ...]]]:
        """Return the operators and values by which a variable is tested; its case does not matter to IAM."""
        return [(how, values) for how, name, values in self.conditions if name.lower() == variable.lower()]


def statements_of(subject: Subject) -> tuple[Statement, ...]:
    """Return every statement that stands in a resource; what is known only at apply is left out."""
    if subject.type == DOCUMENT:
        return tuple(_of_data_source(subject))
    found: list[Statement] = []
    for path in POLICIES:
        for text in subject.values(path):
            if isinstance(text, str) and text.lstrip().startswith("{"):
                found.extend(_parsed(path.replace("?", ""), text))
    return tuple(found)


def grants(subject: Subject) -> Iterator[Grant]:
    """Yield what a resource allows. In a policy that names principals, every resource is the one that carries it."""
    if subject.type.endswith("_policy_attachment"):
        name = str(subject.value("policy_arn")).rpartition("/")[2]
        if name in EVERYTHING:
            yield Grant(where="`policy_arn`", actions=name, every_action=True, every_resource=True)
    for statement in statements_of(subject):
        if statement.allows:
            yield _grant(statement)


def trusts(subject: Subject) -> Iterator[Trust]:
    """Yield whose tokens a role believes: those of an issuer, or those that EKS vouches for."""
    for statement in statements_of(subject):
        if statement.allows and "Federated" in statement.principals:
            yield _of_issuer(statement)
        elif statement.allows and PODS in statement.principals.get("Service", ()):
            tests = statement.tests("aws:RequestTag/kubernetes-service-account")
            yield Trust(where=statement.where, subject=_tested(tests), exact=_exact(tests), audience=True)


def _of_issuer(statement: Statement) -> Trust:
    subjects = [(how, values) for how, name, values in statement.conditions if name.lower().endswith(":sub")]
    audiences = [name for _, name, _ in statement.conditions if name.lower().endswith((":aud", ":audience"))]
    saml = any("saml" in identifier.lower() for identifier in statement.principals["Federated"])
    return Trust(
        where=statement.where,
        subject=_tested(subjects) or ("SAML" if saml else None),
        exact=saml or _exact(subjects),
        audience=bool(audiences),
    )


def _tested(tests: list[tuple[str, tuple[str, ...]]]) -> str | None:
    return ", ".join(value for _, values in tests for value in values) or None


def _exact(tests: list[tuple[str, tuple[str, ...]]]) -> bool:
    """Say whether every value is one text: an operator that knows wildcards is as good where it is given none."""
    return all(how in EXACT or not any("*" in value or "?" in value for value in values) for how, values in tests)


def _grant(statement: Statement) -> Grant:
    own = not statement.principals
    bound = bool(statement.conditions)
    every = statement.every_action_but or "*" in statement.actions or "*:*" in statement.actions
    whole_service = any(action.endswith(":*") for action in statement.actions)
    return Grant(
        where=f"`{statement.where}`",
        actions=", ".join(statement.actions),
        every_action=every or (whole_service and not bound),
        every_resource=own and "*" in statement.resources,
        everyone=statement.everyone and not bound,
        escalates=not bound and (every or not ESCALATING.isdisjoint(statement.actions)),
    )


@lru_cache(maxsize=4096)
def _parsed(where: str, text: str) -> tuple[Statement, ...]:
    """Return the statements of a policy in JSON, in which a reference may stand wherever a text may."""
    quoted = EXPRESSION.sub(lambda found: found[0].replace('"', "'"), text)
    try:
        document = json.loads(quoted)
    except ValueError:
        return ()
    written = as_list(as_mapping(document).get("Statement"))
    return tuple(_statement(where, as_mapping(each)) for each in written)


def _statement(where: str, written: Mapping[str, Json]) -> Statement:
    principal = written.get("Principal", {})
    named = {"*": principal} if isinstance(principal, str) else as_mapping(principal)
    conditions = as_mapping(written.get("Condition"))
    return Statement(
        where=where,
        allows=written.get("Effect") == "Allow",
        actions=_texts(written.get("Action")),
        every_action_but="NotAction" in written,
        resources=_texts(written.get("Resource")) or (("*",) if "NotResource" in written else ()),
        principals={kind: _texts(identifiers) for kind, identifiers in named.items()},
        conditions=tuple(
            (how, variable, _texts(values))
            for how, tests in conditions.items()
            for variable, values in as_mapping(tests).items()
        ),
    )


def _of_data_source(subject: Subject) -> Iterator[Statement]:
    for written in subject.values("statement?"):
        for each in map(as_mapping, as_list(written)):
            principals = map(as_mapping, as_list(each.get("principals")))
            conditions = map(as_mapping, as_list(each.get("condition")))
            yield Statement(
                where="statement",
                allows=each.get("effect", "Allow") == "Allow",
                actions=_texts(each.get("actions")),
                every_action_but="not_actions" in each,
                resources=_texts(each.get("resources")) or (("*",) if "not_resources" in each else ()),
                principals={str(one.get("type")): _texts(one.get("identifiers")) for one in principals},
                conditions=tuple(
                    (str(one.get("test")), str(one.get("variable")), _texts(one.get("values"))) for one in conditions
                ),
            )


def _texts(value: Json) -> tuple[str, ...]:
    return tuple(str(each) for each in as_list(value))
