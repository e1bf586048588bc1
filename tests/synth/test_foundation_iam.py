"""Who may do what in a whole foundation on AWS, read from every IAM document in all of its layers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from fixtures.iam_documents import all_statements as statements
from fixtures.iam_documents import parsed
from fixtures.iam_simulation import Request, denies
from fixtures.resource_graph import kind_of

if TYPE_CHECKING:
    from fixtures.resource_graph import Joined

POLICY = "aws_s3_bucket_policy"
ACCOUNT = "aws:SourceAccount"
SOURCES = {"aws:SourceArn", "aws:RequestTag/eks-cluster-arn"}
"""What a service says about whom it acts for; Pod Identity says it in a session tag."""
SERVICES_WITHOUT_A_SOURCE = {"backup.amazonaws.com", "ec2.amazonaws.com", "s3.amazonaws.com"}
"""EC2 takes a role through an instance profile, Backup and S3's replication one that somebody may pass; AWS documents
no source that any of them sends and that could be tested."""
LOOKING = ("Describe", "Get", "List")
"""How the actions begin that change nothing; for many of them AWS knows no narrower resource than everything."""


def test_no_statement_allows_every_action_of_every_service_or_everything_of_one_on_everything(
    on_aws: Joined,
) -> None:
    """In a key's own policy every resource means this key, and the account must be able to repair it."""
    for found in statements(on_aws):
        assert "*" not in found.actions
        if found.argument == "policy" and kind_of(found.address) != "aws_kms_key":
            whole_services = [action for action in found.actions if action.endswith(":*")]
            if found.statement["Effect"] == "Allow":
                assert not whole_services, found
                looks = all(action.partition(":")[2].startswith(LOOKING) for action in found.actions)
                assert looks or found.statement.get("Resource") != ["*"], found


def test_a_service_is_trusted_only_when_it_acts_for_this_account(on_aws: Joined) -> None:
    """Otherwise a stranger could have the service act on our behalf: the confused deputy."""
    trusts = [found for found in statements(on_aws) if found.argument == "assume_role_policy"]

    services = [found for found in trusts if set(found.statement["Principal"]) == {"Service"}]
    assert services
    for found in services:
        if not set(found.statement["Principal"]["Service"]) <= SERVICES_WITHOUT_A_SOURCE:
            variables = {variable for tested in found.conditions.values() for variable in tested}
            assert ACCOUNT in variables, found
            assert variables & SOURCES, found


def test_every_pods_role_is_bound_to_one_service_account_without_a_pattern(on_aws: Joined) -> None:
    pods = [
        found
        for found in statements(on_aws)
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
        ("kube-system", "cluster-autoscaler"),
        ("kube-system", "ebs-csi-controller-sa"),
        ("aeterna", "graph-api"),
        ("aeterna", "threads"),
        ("aeterna", "migrate"),
        ("aeterna", "opal"),
        ("aeterna", "policies"),
    }
    assert len(pods) == len(accounts)


@pytest.mark.parametrize(
    ("component", "services"),
    [
        ("GraphApi", {"glue", "kms", "s3"}),
        ("Threads", {"kms", "rds-db", "s3"}),
        ("Policies", {"rds-db"}),
        ("Opal", {"elasticache"}),
        ("Migrate", {"kms", "secretsmanager"}),
    ],
)
def test_a_component_reaches_the_services_it_uses_and_no_others(
    component: str, services: set[str], on_aws: Joined
) -> None:
    allowed = {
        action.partition(":")[0]
        for found in statements(on_aws, of="aws_iam_role_policy")
        if found.address.removeprefix("cluster/aws_iam_role_policy.").startswith(f"{component}_")
        for action in found.actions
    }

    assert allowed == services


def test_every_key_keeps_its_account_as_administrator(on_aws: Joined) -> None:
    administered = {
        found.address
        for found in statements(on_aws, of="aws_kms_key")
        if found.actions == ["kms:*"] and found.statement["Principal"]["AWS"][0].endswith(":root")
    }

    assert administered == set(on_aws.resources("aws_kms_key"))


def test_whoever_is_not_named_by_a_keys_policy_is_named_by_a_condition(on_aws: Joined) -> None:
    for found in statements(on_aws, of="aws_kms_key"):
        if found.statement["Principal"] == "*":
            assert {"kms:CallerAccount"} <= set(found.conditions["StringEquals"])
            assert "aws:PrincipalArn" in found.conditions["ArnEquals"]


def test_no_static_credential_is_made(on_aws: Joined) -> None:
    """No user, no access key, no password that a state keeps: workloads prove who they are each time."""
    for kind in ("aws_iam_user", "aws_iam_access_key", "random_password"):
        assert not on_aws.resources(kind)
    for secret in on_aws.resources("aws_secretsmanager_secret_version").values():
        assert not {"secret_string", "secret_binary"} & set(secret)
    for database in on_aws.resources("aws_db_instance").values():
        assert not {"password", "auth_token"} & set(database)
    for cache in on_aws.resources("aws_elasticache_replication_group").values():
        assert "auth_token" not in cache


SSE = "s3:x-amz-server-side-encryption"
SSE_KEY = f"{SSE}-aws-kms-key-id"
OVER_TLS = {"aws:SecureTransport": "true", "s3:TlsVersion": "1.3"}


@pytest.mark.parametrize(
    ("action", "context"),
    [
        ("s3:GetObject", {"aws:SecureTransport": "false"}),
        ("s3:PutObject", {**OVER_TLS, SSE: "AES256"}),
        ("s3:PutObject", {**OVER_TLS, SSE: "aws:kms", SSE_KEY: "arn:aws:kms:eu-west-1:111122223333:key/theirs"}),
    ],
    ids=["in plain text", "without the key", "with another key"],
)
def test_a_request_to_any_bucket_of_any_layer_is_denied(action: str, context: Request, on_aws: Joined) -> None:
    """The states' bucket and the copies' as much as the first one."""
    policies = {address: json.dumps(parsed(each["policy"])) for address, each in on_aws.resources(POLICY).items()}

    assert len(policies) == len(on_aws.resources("aws_s3_bucket"))
    assert [address for address, policy in policies.items() if not denies(policy, action, context)] == []


def test_a_state_and_its_lock_may_be_written_with_the_headers_that_the_engine_sends(on_aws: Joined) -> None:
    """The state names the key; the lock beside it leaves encryption to the bucket in some versions."""
    (state,) = (
        each["policy"] for address, each in on_aws.resources(POLICY).items() if address.startswith("bootstrap/")
    )
    policy = json.dumps(parsed(state))
    (key,) = {
        each["Condition"]["StringNotEquals"][SSE_KEY][0]
        for each in json.loads(policy)["Statement"]
        if SSE_KEY in each.get("Condition", {}).get("StringNotEquals", {})
    }

    assert not denies(policy, "s3:PutObject", {**OVER_TLS, SSE: "aws:kms", SSE_KEY: key})
    assert not denies(policy, "s3:PutObject", OVER_TLS)
