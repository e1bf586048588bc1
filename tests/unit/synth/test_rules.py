"""Each guard-rail stops what it is for, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeterna.aws.l1.db_instance import AwsDbInstance
from aeterna.aws.l1.provider import AwsProvider
from aeterna.aws.l1.secretsmanager_secret_version import AwsSecretsmanagerSecretVersion
from aeterna.aws.l1.security_group import AwsSecurityGroup
from aeterna.aws.l1.vpc_security_group_egress_rule import AwsVpcSecurityGroupEgressRule
from aeterna.aws.l1.vpc_security_group_ingress_rule import AwsVpcSecurityGroupIngressRule
from aeterna.synth.app import TerraformStack
from aeterna.synth.aspects import attach
from aeterna.synth.errors import SynthesisError
from aeterna.synth.rules.open_ingress import OpenIngress
from aeterna.synth.rules.plain_secrets import PlainSecrets
from aeterna.synth.testing import app, synthesized

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeterna.synth.rules.rule import Rule


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


def stack_with(build: Callable[[TerraformStack], None], rule: Rule) -> TerraformStack:
    stack = TerraformStack(app(), "main")
    AwsProvider(stack, "aws", region="eu-west-1")
    build(stack)
    attach(stack, rule)
    return stack


@pytest.mark.parametrize(
    ("rule", "build", "finding"),
    [
        (PlainSecrets(), written_password, "main/Database.*plain-secret: password is a secret"),
        (PlainSecrets(), written_secret, "plain-secret: secret_string is a secret"),
        (OpenIngress(), open_rule, r"main/In.*open-ingress: cidr_ipv4 lets everybody in \(0.0.0.0/0\)"),
        (OpenIngress(), open_group, r"open-ingress: ingress.ipv6_cidr_blocks lets everybody in \(::/0\)"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_broken_rule_stops_the_synthesis(rule: Rule, build: Callable[[TerraformStack], None], finding: str) -> None:
    with pytest.raises(SynthesisError, match=finding):
        synthesized(stack_with(build, rule))


@pytest.mark.parametrize(
    ("rule", "build"),
    [
        (PlainSecrets(), referred_password),
        (PlainSecrets(), managed_password),
        (OpenIngress(), open_way_out),
        (OpenIngress(), named_clients),
        (OpenIngress(exempt={"main/In": "a public load balancer"}), open_rule),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_keeps_the_rule_or_is_exempt_passes(rule: Rule, build: Callable[[TerraformStack], None]) -> None:
    assert synthesized(stack_with(build, rule)).addresses()
