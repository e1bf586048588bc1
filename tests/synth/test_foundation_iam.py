"""Who may do what in a whole environment, read from every IAM document in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.iam_documents import statements

if TYPE_CHECKING:
    from aeterna.synth.testing import Document

ACCOUNT = "aws:SourceAccount"
SOURCES = {"aws:SourceArn", "aws:RequestTag/eks-cluster-arn"}
"""What a service says about whom it acts for; Pod Identity says it in a session tag."""
SERVICES_WITHOUT_A_SOURCE = {"ec2.amazonaws.com"}
"""EC2 takes a role through an instance profile, and sends no source to test."""


def test_no_statement_allows_every_action_of_every_service_or_everything_of_one_on_everything(
    foundation: Document,
) -> None:
    """In a key's own policy every resource means this key, and the account must be able to repair it."""
    for found in statements(foundation):
        assert "*" not in found.actions
        if found.argument == "policy" and not found.address.startswith("aws_kms_key."):
            whole_services = [action for action in found.actions if action.endswith(":*")]
            if found.statement["Effect"] == "Allow":
                assert not whole_services, found
                assert found.statement.get("Resource") != ["*"], found


def test_a_service_is_trusted_only_when_it_acts_for_this_account(foundation: Document) -> None:
    """Otherwise a stranger could have the service act on our behalf: the confused deputy."""
    trusts = [found for found in statements(foundation) if found.argument == "assume_role_policy"]

    services = [found for found in trusts if set(found.statement["Principal"]) == {"Service"}]
    assert services
    for found in services:
        if not set(found.statement["Principal"]["Service"]) <= SERVICES_WITHOUT_A_SOURCE:
            variables = {variable for tested in found.conditions.values() for variable in tested}
            assert ACCOUNT in variables, found
            assert variables & SOURCES, found


def test_every_pods_role_is_bound_to_one_service_account_without_a_pattern(foundation: Document) -> None:
    pods = [
        found
        for found in statements(foundation)
        if found.argument == "assume_role_policy"
        and found.statement["Principal"].get("Service") == ["pods.eks.amazonaws.com"]
    ]

    accounts = {
        (
            *found.conditions["StringEquals"]["aws:RequestTag/kubernetes-namespace"],
            *found.conditions["StringEquals"]["aws:RequestTag/kubernetes-service-account"],
        )
        for found in pods
    }
    assert accounts == {
        ("kube-system", "aws-node"),
        ("kube-system", "ebs-csi-controller-sa"),
        ("aeterna", "graph-api"),
        ("aeterna", "threads"),
        ("aeterna", "opal"),
    }
    assert len(pods) == len(accounts)


@pytest.mark.parametrize(
    ("component", "services"),
    [("GraphApi", {"glue", "kms", "s3"}), ("Threads", {"rds-db"}), ("Opal", {"elasticache"})],
)
def test_a_component_reaches_the_services_it_uses_and_no_others(
    component: str, services: set[str], foundation: Document
) -> None:
    allowed = {
        action.partition(":")[0]
        for found in statements(foundation, of="aws_iam_role_policy")
        if found.address.removeprefix("aws_iam_role_policy.").startswith(f"{component}_")
        for action in found.actions
    }

    assert allowed == services


def test_every_key_keeps_its_account_as_administrator(foundation: Document) -> None:
    administered = {
        found.address
        for found in statements(foundation, of="aws_kms_key")
        if found.actions == ["kms:*"] and found.statement["Principal"]["AWS"][0].endswith(":root")
    }

    assert administered == {f"aws_kms_key.{name}" for name in foundation.resources("aws_kms_key")}


def test_whoever_is_not_named_by_a_keys_policy_is_named_by_a_condition(foundation: Document) -> None:
    for found in statements(foundation, of="aws_kms_key"):
        if found.statement["Principal"] == "*":
            assert {"kms:CallerAccount"} <= set(found.conditions["StringEquals"])
            assert "aws:PrincipalArn" in found.conditions["ArnEquals"]


def test_no_static_credential_is_made(foundation: Document) -> None:
    """No user, no access key, no password: workloads prove who they are each time."""
    made = set(foundation.json["resource"])

    assert not made & {"aws_iam_user", "aws_iam_access_key", "random_password", "aws_secretsmanager_secret_version"}
    assert not {"password", "auth_token"} & set(foundation.only("aws_db_instance"))
    assert "auth_token" not in foundation.only("aws_elasticache_replication_group")
