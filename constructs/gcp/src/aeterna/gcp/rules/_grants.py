"""Reads what Google Cloud's bindings of roles grant, and whose tokens its accounts and pools believe."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from aeterna.synth.rules.grants import Grant, Trust
from aeterna.synth.rules.subject import EXPRESSION, Mark, as_list, as_mapping, expressions_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.synth.rules.subject import Subject

BINDING: Final = re.compile(r"google_\w+_iam_(?:member|binding)")
OF_EVERYTHING: Final = re.compile(r"google_(?:project|folder|organization)_iam_(?:member|binding)")
EVERY_ACTION: Final = frozenset({"roles/owner", "roles/editor", "roles/admin", "roles/writer"})
ESCALATING: Final = frozenset(
    {
        "roles/owner",
        "roles/iam.organizationRoleAdmin",
        "roles/iam.roleAdmin",
        "roles/iam.securityAdmin",
        "roles/iam.serviceAccountAdmin",
        "roles/iam.serviceAccountKeyAdmin",
        "roles/iam.serviceAccountOpenIdTokenCreator",
        "roles/iam.serviceAccountTokenCreator",
        "roles/iam.serviceAccountUser",
        "roles/iam.workloadIdentityUser",
        "roles/resourcemanager.organizationAdmin",
        "roles/resourcemanager.projectIamAdmin",
    }
)
EVERYONE: Final = frozenset({"allUsers", "allAuthenticatedUsers"})
PRETENDS: Final = "roles/iam.workloadIdentityUser"
POLICY: Final = "data.google_iam_policy"
POD: Final = re.compile(r"serviceAccount:.*\[(?P<subject>[^\]]*)\]")
SETS: Final = re.compile(r"principalSet://.*")
ONE_POD: Final = re.compile(r"[^/*]+/[^/*]+")
PROVIDER: Final = "google_iam_workload_identity_pool_provider"


def grants(subject: Subject) -> Iterator[Grant]:
    """Yield each role that a resource binds, and to whom."""
    if BINDING.fullmatch(subject.type):
        members = [*as_list(subject.arguments.get("member")), *as_list(subject.arguments.get("members"))]
        everything = OF_EVERYTHING.fullmatch(subject.type) is not None
        yield _grant(str(subject.arguments.get("role", "")), members, everything=everything)
    elif subject.type == POLICY:
        for written in subject.values("binding?"):
            for each in as_list(written):
                binding = as_mapping(each)
                yield _grant(str(binding.get("role", "")), as_list(binding.get("members")), everything=False)


def _grant(role: str, members: list[object], *, everything: bool) -> Grant:
    return Grant(
        where="`role`",
        actions=role,
        every_action=role in EVERY_ACTION,
        every_resource=everything,
        everyone=not EVERYONE.isdisjoint(str(member) for member in members),
        escalates=role in ESCALATING,
    )


def trusts(subject: Subject) -> Iterator[Trust]:
    """Yield which pods, and which tokens of other issuers, are believed."""
    if subject.type == PROVIDER:
        condition = subject.value("attribute_condition")
        believed = None if condition in (Mark.ABSENT, "") else str(condition)
        yield Trust(where="`attribute_condition`", subject=believed, exact=True, audience=True)
    elif BINDING.fullmatch(subject.type) and subject.arguments.get("role") == PRETENDS:
        members = [*as_list(subject.arguments.get("member")), *as_list(subject.arguments.get("members"))]
        for member in members:
            yield Trust(where="`member`", subject=str(member), exact=_exact(str(member)), audience=True)


def _exact(member: str) -> bool:
    """Say whether a member is one; what is known only at apply may be."""
    if SETS.fullmatch(member):
        return False
    pod = POD.fullmatch(EXPRESSION.sub("x", member))
    if pod is None:
        return bool(expressions_in(member)) or not member.endswith("*")
    return ONE_POD.fullmatch(pod["subject"]) is not None
