"""Whatever protects a foundation is taken away, one thing at a time, and each time the rules have to notice."""

from __future__ import annotations

import copy
import json
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import pytest

from aeterna.contracts.sizes import Size
from aeterna.synth.rules.evaluation import Evaluation, findings
from aeterna.synth.rules.inventory import read
from aeterna.synth.rules.packs import facts_of, installed
from aeterna.synth.rules.settings import applies
from aeterna.synth.rules.subject import as_list
from fixtures.foundations import Case, synthesize
from fixtures.rule_documents import holders, ways

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from aeterna.synth.rules.facts import Requirement, Setting
    from aeterna.synth.rules.inventory import Inventory
    from aeterna.synth.rules.subject import Subject
    from fixtures.resource_graph import Joined

Json: TypeAlias = Any  # a synthesized document
TODAY = date(2026, 11, 22)
PACKS = installed()
FACTS = facts_of(PACKS)
RULES = Evaluation(packs=PACKS, today=TODAY, size=Size.CRITICAL).rules
GONE = object()


@dataclass(slots=True)
class Stack:
    """One document that is changed in place, and put back."""

    name: str
    json: Json

    def inventory(self) -> Inventory:
        return read(self.json, stack=self.name, facts=FACTS)

    def found(self, *asked: str) -> set[str]:
        """Return the rules that find something, of these or of all."""
        inventory = self.inventory()
        rules = [rule for rule in RULES if not asked or rule.id in asked]
        return {rule.id for rule in rules if findings(rule, inventory)}


@contextmanager
def changed(*changes: tuple[Json, str, Json]) -> Generator[None]:
    """Write a value at each of some places, or take it away, for as long as the block lasts."""
    kept = [(holder, name, holder.get(name, GONE)) for holder, name, _ in changes]
    for holder, name, value in changes:
        _put(holder, name, value)
    try:
        yield
    finally:
        for holder, name, value in reversed(kept):
            _put(holder, name, value)


def _put(holder: Json, name: str, value: Json) -> None:
    if value is GONE:
        holder.pop(name, None)
    else:
        holder[name] = value


@pytest.fixture(scope="module")
def stacks(critical: Joined) -> list[Stack]:
    return [Stack(layer, copy.deepcopy(dict(document.json))) for layer, document in critical.layers.items()]


def requirements(subject: Subject) -> Iterator[Requirement]:
    """Yield what the tables and the rules of one cloud ask of a resource."""
    facts = FACTS.get(subject.provider)
    for said in facts.guarded.get(subject.type, {}).values() if facts else ():
        yield from said
    for rule in RULES:
        yield from rule.settings.get(subject.type, ())


def mutations(stack: Stack) -> Iterator[tuple[str, list[tuple[Json, str, Json]]]]:
    """Yield a name and the changes for each way to take away or weaken what a resource says."""
    inventory = stack.inventory()
    for subject in inventory.subjects:
        for requirement in requirements(subject):
            settings = [setting for setting in ways(requirement) if asked(setting, subject, inventory)]
            places = [
                (setting, holder, name)
                for setting in settings
                for speaker in speakers(setting, subject, inventory)
                for holder, name in holders(speaker.arguments, setting.path)
            ]
            if not places:
                continue
            label = f"{subject.address} {settings[0].path}"
            if not any(setting.absent_is_right for setting in settings):
                yield f"{label} removed", [(holder, name, GONE) for _, holder, name in places]
            yield f"{label} weakened", [(holder, name, setting.wants.weaker) for setting, holder, name in places]


def asked(setting: Setting, subject: Subject, inventory: Inventory) -> bool:
    return applies(subject, setting.when) and not any(inventory.beside(subject, other) for other in setting.unless)


def speakers(setting: Setting, subject: Subject, inventory: Inventory) -> list[Subject]:
    return [subject] if setting.on is None else inventory.beside(subject, setting.on) or []


@pytest.mark.parametrize("cloud", ["aws", "azure", "gcp"])
@pytest.mark.parametrize("size", [Size.DEV, Size.STANDARD])
def test_a_foundation_keeps_every_rule_of_its_size(cloud: str, size: Size) -> None:
    case = Case(cloud=cloud, size=size, highly_available=size is not Size.DEV)
    documents = {layer: document.json for layer, document in synthesize(case).items()}

    report = Evaluation(packs=PACKS, today=TODAY, size=size).of_documents(documents)

    assert [(finding.address, finding.line) for finding in report.findings] == []


def test_the_largest_foundation_keeps_every_rule(stacks: list[Stack]) -> None:
    assert {stack.name: stack.found() for stack in stacks if stack.found()} == {}


def test_what_is_taken_away_or_weakened_is_noticed(stacks: list[Stack]) -> None:
    unnoticed: list[str] = []
    tried = 0
    for stack in stacks:
        for name, changes in mutations(stack):
            tried += 1
            with changed(*changes):
                if not stack.found():
                    unnoticed.append(f"{stack.name}: {name}")

    assert unnoticed == []
    assert tried > 100


def test_a_companion_that_is_taken_away_is_noticed(stacks: list[Stack]) -> None:
    """A bucket's versions, its door and its key are said in resources of their own."""
    unnoticed: list[str] = []
    for stack in stacks:
        inventory = stack.inventory()
        for subject in inventory.subjects:
            for requirement in requirements(subject):
                for setting in ways(requirement):
                    for other in speakers(setting, subject, inventory) if setting.on else ():
                        named = stack.json["resource"][other.type]
                        with changed((named, other.address.partition(".")[2], GONE)):
                            if asked(setting, subject, inventory) and not stack.found():
                                unnoticed.append(f"{stack.name}: {other.address} beside {subject.address}")

    assert unnoticed == []


def test_a_name_that_is_too_long_is_noticed(stacks: list[Stack]) -> None:
    assert [
        f"{stack.name}: {subject.address}"
        for stack in stacks
        for subject in stack.inventory().subjects
        for facts in (FACTS.get(subject.provider),)
        for name in (facts.names.get(subject.type, ()) if facts else ())
        for holder, last in holders(subject.arguments, name.path)
        if "name-length" not in with_change(stack, holder, last, "x" * (name.longest + 1), "name-length")
    ] == []


def test_tags_that_are_taken_away_are_noticed(stacks: list[Stack]) -> None:
    """What the provider adds by itself is taken away first, and then what a resource carries of its own."""
    for stack in stacks:
        with changed((stack.json, "provider", {})):
            tagged = [
                (holder, last)
                for subject in stack.inventory().subjects
                for facts in (FACTS.get(subject.provider),)
                if facts and subject.type in facts.tags
                for holder, last in holders(subject.arguments, facts.tags[subject.type])
            ]
            for holder, last in tagged:
                assert "tagged" in with_change(stack, holder, last, GONE, "tagged")


def test_changes_that_nobody_would_see_are_noticed(stacks: list[Stack]) -> None:
    for stack in stacks:
        for subject in stack.inventory().subjects:
            arguments = cast("dict[str, Json]", subject.arguments)
            assert "ignored-changes" in with_change(stack, arguments, "lifecycle", {"ignore_changes": "all"})
            break


def with_change(stack: Stack, holder: Json, name: str, value: Json, *asked: str) -> set[str]:
    """Return the rules, of these or of all, that find something where one value is another."""
    with changed((holder, name, value)):
        return stack.found(*asked)


def policies(stacks: list[Stack]) -> Iterator[tuple[Stack, Subject, str, Json]]:
    """Yield each IAM document of a stack: the resource, the argument and the parsed policy."""
    for stack in stacks:
        for subject in stack.inventory().subjects:
            for argument in ("policy", "assume_role_policy"):
                text = subject.arguments.get(argument)
                if isinstance(text, str) and text.startswith("{") and "Statement" in text:
                    yield stack, subject, argument, json.loads(text)


def test_a_condition_on_a_service_or_an_issuer_that_is_taken_away_is_noticed(stacks: list[Stack]) -> None:
    unnoticed: list[str] = []
    for stack, subject, argument, policy in policies(stacks):
        for statement in policy["Statement"]:
            principal = statement.get("Principal", {})
            if statement["Effect"] != "Allow" or "Condition" not in statement or "AWS" in principal or not principal:
                continue
            with changed((statement, "Condition", GONE)):
                found = with_change(stack, subject.arguments, argument, json.dumps(policy))
                if not found & {"aws-confused-deputy", "grant-everyone", "trust-exact"}:
                    unnoticed.append(f"{subject.address} {statement['Sid']}")

    assert unnoticed == []


def test_an_identity_that_may_do_everything_is_noticed(stacks: list[Stack]) -> None:
    for stack, subject, argument, policy in policies(stacks):
        for statement in policy["Statement"]:
            if "Principal" in statement:
                continue
            with changed((statement, "Action", ["*"]), (statement, "Resource", ["*"]), (statement, "Condition", GONE)):
                assert "grant-everything" in with_change(stack, subject.arguments, argument, json.dumps(policy))


PROTECTING = {
    "aws_s3_bucket_policy": ("DenyPlainHttp", "aws-bucket-tls"),
    "aws_kms_key": ("AccountAdministers", "aws-key-administrator"),
}
"""By type, the statement that protects, and the rule that misses it."""


def test_a_statement_that_protects_and_is_taken_away_is_noticed(stacks: list[Stack]) -> None:
    for stack, subject, argument, policy in policies(stacks):
        sid, rule = PROTECTING.get(subject.type, ("", ""))
        rest = [statement for statement in policy["Statement"] if statement["Sid"] != sid]
        if len(rest) < len(policy["Statement"]):
            rest = rest or [{"Sid": "Nobody", "Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*"}]
            text = json.dumps({**policy, "Statement": rest})
            assert rule in with_change(stack, subject.arguments, argument, text), subject.address


GRANTED = [
    ("google_project_iam_member", {"role": "roles/owner"}, "grant-everything"),
    ("google_project_iam_member", {"role": "roles/iam.serviceAccountTokenCreator"}, "grant-escalates"),
    (
        "google_project_iam_member",
        {"role": "roles/cloudkms.cryptoKeyDecrypter", "condition": None},
        "gcp-project-wide-grant",
    ),
    ("google_kms_crypto_key_iam_member", {"member": "allUsers"}, "grant-everyone"),
    ("google_storage_bucket_iam_member", {"member": "allAuthenticatedUsers"}, "grant-everyone"),
    (
        "google_service_account_iam_member",
        {"role": "roles/iam.workloadIdentityUser", "member": "serviceAccount:a.svc.id.goog[aeterna/*]"},
        "trust-exact",
    ),
    ("azurerm_role_assignment", {"role_definition_name": "Owner", "scope": "/subscriptions/a"}, "grant-everything"),
    (
        "azurerm_role_assignment",
        {"role_definition_name": "User Access Administrator", "scope": "/subscriptions/a"},
        "grant-escalates",
    ),
    ("azurerm_federated_identity_credential", {"subject": "system:serviceaccount:aeterna:*"}, "trust-exact"),
    ("azurerm_federated_identity_credential", {"audience": ["vault"]}, "trust-exact"),
]


@pytest.mark.parametrize(("terraform_type", "change", "rule"), GRANTED, ids=str)
def test_a_role_that_is_widened_is_noticed(
    stacks: list[Stack], terraform_type: str, change: dict[str, Json], rule: str
) -> None:
    widened = [(stack, subject) for stack in stacks for subject in stack.inventory().of(terraform_type)]
    for stack, subject in widened:
        with changed(*((subject.arguments, name, value) for name, value in change.items())):
            assert rule in stack.found(), subject.address


def test_a_door_that_is_opened_to_everybody_is_noticed(stacks: list[Stack]) -> None:
    doors = {
        "aws_vpc_security_group_ingress_rule": ("cidr_ipv4", "0.0.0.0/0"),
        "azurerm_network_security_rule": ("source_address_prefix", "Internet"),
    }
    for stack in stacks:
        for terraform_type, (argument, everybody) in doors.items():
            for subject in stack.inventory().of(terraform_type):
                if (
                    subject.arguments.get("access", "Allow") == "Allow"
                    and subject.arguments.get("direction") != "Outbound"
                ):
                    found = with_change(stack, subject.arguments, argument, everybody)
                    assert found & {"open-ingress", "azure-open-port"}, subject.address


def test_a_secret_as_a_literal_is_noticed(stacks: list[Stack]) -> None:
    for stack in stacks:
        for subject in stack.inventory().subjects:
            for name in as_list([name for name in subject.arguments if name.endswith(("password", "password_wo"))]):
                assert "plain-secret" in with_change(stack, subject.arguments, name, "hunter2", "plain-secret"), (
                    subject.address
                )
