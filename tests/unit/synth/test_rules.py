"""The guard-rails look at a whole stack once, as it will be written, and stop it at the construct that is wrong."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from aeterna.aws.l1.db_instance import AwsDbInstance
from aeterna.aws.l1.provider import AwsProvider
from aeterna.aws.l1.secretsmanager_secret_version import AwsSecretsmanagerSecretVersion
from aeterna.aws.l1.security_group import AwsSecurityGroup
from aeterna.aws.l1.sqs_queue import AwsSqsQueue
from aeterna.aws.l1.vpc_security_group_egress_rule import AwsVpcSecurityGroupEgressRule
from aeterna.aws.l1.vpc_security_group_ingress_rule import AwsVpcSecurityGroupIngressRule
from aeterna.contracts.errors import InvalidSpecError
from aeterna.synth.app import App, TerraformStack
from aeterna.synth.aspects import attach
from aeterna.synth.errors import SynthesisError
from aeterna.synth.rules.guardrails import Guardrails
from aeterna.synth.rules.neutral import open_ingress, plain_secret, tagged
from aeterna.synth.rules.packs import Pack, installed
from aeterna.synth.rules.suppression import Suppression
from aeterna.synth.tags import Tags
from aeterna.synth.testing import app, synthesized

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeterna.synth.rules.rule import Rule

TODAY = date(2026, 11, 22)


def guardrails(*rules: Rule, suppressions: tuple[Suppression, ...] = ()) -> Guardrails:
    """Return guard-rails of these rules alone, with what the installed clouds tell them."""
    facts = tuple(Pack(name=pack.name, rules=(), facts=pack.facts) for pack in installed())
    return Guardrails(packs=(Pack(name="asked", rules=rules), *facts), suppressions=suppressions, clock=lambda: TODAY)


def customer_stack(build: Callable[[TerraformStack], object], *, within: App | None = None) -> TerraformStack:
    stack = TerraformStack(within or app(), "main")
    AwsProvider(stack, "aws", region="eu-west-1")
    build(stack)
    return stack


def guarded(build: Callable[[TerraformStack], object], rails: Guardrails) -> TerraformStack:
    stack = customer_stack(build)
    attach(stack, rails)
    return stack


def written_password(stack: TerraformStack) -> None:
    AwsDbInstance(stack, "Database", instance_class="db.t4g.small", password="hunter2")


def written_secret(stack: TerraformStack) -> None:
    AwsSecretsmanagerSecretVersion(stack, "Secret", secret_id="s", secret_string="hunter2")


def referred_password(stack: TerraformStack) -> None:
    other = AwsDbInstance(stack, "Other", instance_class="db.t4g.small")
    AwsDbInstance(stack, "Database", instance_class="db.t4g.small", password=other.password)


def managed_password(stack: TerraformStack) -> None:
    AwsDbInstance(stack, "Database", instance_class="db.t4g.small", manage_master_user_password=True)


def open_rule(stack: TerraformStack) -> None:
    AwsVpcSecurityGroupIngressRule(stack, "In", security_group_id="sg", ip_protocol="tcp", cidr_ipv4="0.0.0.0/0")


def open_group(stack: TerraformStack) -> None:
    AwsSecurityGroup(stack, "Group", ingress=[{"protocol": "tcp", "ipv6_cidr_blocks": ["::/0"]}])


def open_way_out(stack: TerraformStack) -> None:
    AwsVpcSecurityGroupEgressRule(stack, "Out", security_group_id="sg", ip_protocol="tcp", cidr_ipv4="0.0.0.0/0")


def named_clients(stack: TerraformStack) -> None:
    AwsVpcSecurityGroupIngressRule(stack, "In", security_group_id="sg", ip_protocol="tcp", cidr_ipv4="10.0.0.0/16")


def overridden_clients(stack: TerraformStack) -> None:
    rule = AwsVpcSecurityGroupIngressRule(
        stack, "In", security_group_id="sg", ip_protocol="tcp", cidr_ipv4="10.0.0.0/16"
    )
    rule.add_override("cidr_ipv4", "0.0.0.0/0")


PUBLIC = Suppression(rule="open-ingress", path="main/In", reason="a public door", until=date(2027, 6, 1))


@pytest.mark.parametrize(
    ("rule", "build", "finding"),
    [
        (plain_secret.RULE, written_password, "main/Database.*plain-secret: password is a secret"),
        (plain_secret.RULE, written_secret, "plain-secret: secret_string is a secret"),
        (open_ingress.RULE, open_rule, r"main/In.*open-ingress: cidr_ipv4 lets everybody in \(0.0.0.0/0\)"),
        (open_ingress.RULE, open_group, r"open-ingress: ingress.ipv6_cidr_blocks lets everybody in \(::/0\)"),
        (open_ingress.RULE, overridden_clients, r"main/In.*open-ingress: cidr_ipv4 lets everybody in"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_broken_rule_stops_the_synthesis_at_the_construct(
    rule: Rule, build: Callable[[TerraformStack], None], finding: str
) -> None:
    """What an override says counts as much as what the bindings say."""
    with pytest.raises(SynthesisError, match=finding):
        synthesized(guarded(build, guardrails(rule)))


@pytest.mark.parametrize(
    ("rails", "build"),
    [
        (guardrails(plain_secret.RULE), referred_password),
        (guardrails(plain_secret.RULE), managed_password),
        (guardrails(open_ingress.RULE), open_way_out),
        (guardrails(open_ingress.RULE), named_clients),
        (guardrails(open_ingress.RULE, suppressions=(PUBLIC,)), open_rule),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_keeps_the_rule_or_is_suppressed_passes(
    rails: Guardrails, build: Callable[[TerraformStack], None]
) -> None:
    assert synthesized(guarded(build, rails)).addresses()


def test_what_another_aspect_adds_later_is_seen() -> None:
    """The engine calls aspects in the order of the tree, so that a rule would look before its neighbour has tagged."""
    stack = guarded(lambda scope: AwsSqsQueue(scope, "Queue"), guardrails(tagged.RULE))
    attach(stack, Tags({"owner": "payments"}))

    assert synthesized(stack).only("aws_sqs_queue")["tags"] == {"owner": "payments"}


def test_a_stack_is_looked_at_where_the_app_skips_validations() -> None:
    stack = customer_stack(written_password, within=App(outdir=app().outdir, skip_validation=True))
    attach(stack, guardrails(plain_secret.RULE))

    with pytest.raises(SynthesisError, match="plain-secret"):
        synthesized(stack)


def test_one_object_may_guard_several_stacks() -> None:
    rails = guardrails(plain_secret.RULE)
    whole = app()
    for name, build in (("good", managed_password), ("bad", written_password)):
        stack = TerraformStack(whole, name)
        AwsProvider(stack, "aws", region="eu-west-1")
        build(stack)
        attach(stack, rails)

    with pytest.raises(SynthesisError, match=r"bad/Database.*plain-secret"):
        whole.synth()


def test_guard_rails_on_a_part_of_a_stack_are_refused() -> None:
    """They look at whole stacks; on a part they would see nothing, and nobody would notice."""
    stack = customer_stack(written_password)
    database = stack.node.find_child("Database")
    assert isinstance(database, AwsDbInstance)
    attach(database, guardrails(plain_secret.RULE))

    with pytest.raises(SynthesisError, match="attach the guard-rails to a stack"):
        synthesized(stack)


def test_a_failure_of_a_rule_arrives_as_it_is() -> None:
    def broken(_: object) -> tuple[()]:
        raise LookupError("a rule of ours")

    rule = plain_secret.RULE
    failing = type(rule)(id="x", title="x", reason="x", controls=rule.controls, check=broken)

    with pytest.raises(LookupError, match="a rule of ours"):
        synthesized(guarded(managed_password, guardrails(failing)))


def test_a_suppression_of_a_rule_that_is_not_there_is_refused() -> None:
    wrong = Suppression(rule="open-ingres", path="main/In", reason="a public door", until=TODAY)

    with pytest.raises(InvalidSpecError, match="no rule 'open-ingres'"):
        Guardrails(suppressions=[wrong], clock=lambda: TODAY)


def test_a_rule_to_leave_out_that_is_not_there_is_refused() -> None:
    with pytest.raises(InvalidSpecError, match="no rule 'open-ingres'"):
        Guardrails(without=["open-ingres"], clock=lambda: TODAY)


def test_a_size_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(InvalidSpecError, match="standard"):
        Guardrails(size="huge", clock=lambda: TODAY)
