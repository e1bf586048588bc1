"""What a workload's identity is on AWS, read from what Terraform would be given."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aeterna.aws.cluster import EksCluster
from aeterna.aws.identity import AwsIdentity, Mechanism
from aeterna.aws.policy_document import Statement
from aeterna.contracts.cluster import ClusterSpec
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.identity import IdentitySpec
from aeterna.contracts.naming import NAME
from aeterna.synth.app import TerraformOutput
from fixtures.customer_stack import CustomerStack
from fixtures.iam_documents import statements, trust_of

if TYPE_CHECKING:
    from aeterna.synth.testing import Document, Json

SPEC = IdentitySpec(name="graph-api", namespace="aeterna", service_account="graph-api")
READ = Statement(sid="Read", actions=("s3:GetObject",), resources=("arn:aws:s3:::graph/*",))


def with_identity(mechanism: Mechanism) -> Document:
    stack = CustomerStack()
    cluster = EksCluster(stack, "Cluster", ClusterSpec(name="prod"), network=stack.network, key=stack.key)
    identity = AwsIdentity(stack, "GraphApi", SPEC, cluster=cluster, mechanism=mechanism)
    identity.allow("UseGraph", READ)
    TerraformOutput(stack, "annotations", value=dict(identity.outputs.annotations))
    return stack.document()


def bindings(document: Document) -> list[Json]:
    """Return what binds roles to service accounts; the cluster binds its own autoscaler in its own namespace."""
    found = document.resources("aws_eks_pod_identity_association").values()
    return [each for each in found if each["namespace"] != "kube-system"]


@pytest.fixture(scope="module")
def by_agent() -> Document:
    return with_identity(Mechanism.POD_IDENTITY)


@pytest.fixture(scope="module")
def by_token() -> Document:
    return with_identity(Mechanism.SIGNED_BY_CLUSTER)


def test_the_agent_may_pass_the_role_to_one_service_account_of_one_cluster(by_agent: Document) -> None:
    trust = trust_of(by_agent, "GraphApi")

    assert trust["Principal"] == {"Service": ["pods.eks.amazonaws.com"]}
    assert trust["Action"] == ["sts:AssumeRole", "sts:TagSession"]
    equal = trust["Condition"]["StringEquals"]
    assert equal["aws:RequestTag/kubernetes-namespace"] == ["aeterna"]
    assert equal["aws:RequestTag/kubernetes-service-account"] == ["graph-api"]
    assert equal["aws:SourceAccount"][0].endswith(".account_id>")
    assert equal["aws:RequestTag/eks-cluster-arn"][0].startswith("<aws_eks_cluster.")


def test_the_role_is_bound_to_exactly_one_service_account(by_agent: Document) -> None:
    (binding,) = bindings(by_agent)

    assert (binding["namespace"], binding["service_account"]) == ("aeterna", "graph-api")
    assert by_agent.outputs()["annotations"]["value"] == {}


def test_a_signed_token_is_tested_for_its_subject_and_its_audience(by_token: Document) -> None:
    """With the subject alone a token made for another audience, such as a vault, could be replayed at AWS."""
    trust = trust_of(by_token, "GraphApi")

    assert trust["Action"] == ["sts:AssumeRoleWithWebIdentity"]
    (equal,) = trust["Condition"].values()
    tested = {variable.rpartition(":")[2]: values for variable, values in equal.items()}
    assert tested == {"sub": ["system:serviceaccount:aeterna:graph-api"], "aud": ["sts.amazonaws.com"]}
    assert list(trust["Condition"]) == ["StringEquals"]


def test_a_service_account_that_shows_tokens_is_annotated_with_its_role(by_token: Document) -> None:
    annotations = by_token.outputs()["annotations"]["value"]

    assert list(annotations) == ["eks.amazonaws.com/role-arn"]
    assert by_token.only("aws_iam_openid_connect_provider")["client_id_list"] == ["sts.amazonaws.com"]
    assert not bindings(by_token)


def test_a_cluster_has_one_issuer_however_many_identities_it_signs_for() -> None:
    stack = CustomerStack()
    cluster = EksCluster(stack, "Cluster", ClusterSpec(name="prod"), network=stack.network, key=stack.key)
    for name in ("one", "two"):
        spec = IdentitySpec(name=name, namespace="aeterna", service_account=name)
        AwsIdentity(stack, name, spec, cluster=cluster, mechanism=Mechanism.SIGNED_BY_CLUSTER)

    assert len(stack.document().resources("aws_iam_openid_connect_provider")) == 1


def test_an_identity_is_bound_in_a_cluster_that_the_customer_already_has() -> None:
    stack = CustomerStack()
    cluster = EksCluster.existing(stack, "Cluster", name="theirs")
    AwsIdentity(stack, "GraphApi", SPEC, cluster=cluster)

    document = stack.document()

    (name,) = document.data("aws_eks_cluster")
    assert document.only("aws_eks_pod_identity_association")["cluster_name"] == f"${{data.aws_eks_cluster.{name}.name}}"
    assert not document.resources("aws_eks_cluster")


def test_trust_in_an_issuer_that_exists_already_is_not_made_again() -> None:
    """IAM has one trust an issuer and account: a second one is refused at apply."""
    stack = CustomerStack()
    theirs = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/ABC"
    cluster = EksCluster.existing(stack, "Cluster", name="theirs", oidc_provider_arn=theirs)
    AwsIdentity(stack, "GraphApi", SPEC, cluster=cluster, mechanism=Mechanism.SIGNED_BY_CLUSTER)

    document = stack.document()

    assert not document.resources("aws_iam_openid_connect_provider")
    assert trust_of(document, "GraphApi")["Principal"] == {"Federated": [theirs]}


def test_an_identity_may_do_what_it_was_allowed_and_nothing_else(by_agent: Document) -> None:
    allowed = [
        found.actions for found in statements(by_agent) if "GraphApi" in found.address and found.argument == "policy"
    ]

    assert allowed == [["s3:GetObject"]]


def test_pods_have_something_to_wait_for() -> None:
    """The credentials are put in when a pod starts: one that starts before the binding never gets any."""
    stack = CustomerStack()
    cluster = EksCluster(stack, "Cluster", ClusterSpec(name="prod"), network=stack.network, key=stack.key)
    identity = AwsIdentity(stack, "GraphApi", SPEC, cluster=cluster)
    identity.allow("UseGraph", READ)

    assert [type(each).__name__ for each in identity.ready] == ["AwsEksPodIdentityAssociation", "AwsIamRolePolicy"]


@settings(max_examples=10, deadline=None)
@given(name=st.from_regex(NAME, fullmatch=True).filter(lambda name: len(name) <= 40))
def test_a_role_for_any_name_fits_the_limit_or_the_name_is_refused(name: str) -> None:
    stack = CustomerStack()
    cluster = EksCluster(stack, "Cluster", ClusterSpec(name="prod"), network=stack.network, key=stack.key)
    spec = IdentitySpec(name=name, namespace="aeterna", service_account="graph-api")

    if len(f"prod-{name}-pod-") > 38:
        with pytest.raises(InvalidSpecError, match="shorten"):
            AwsIdentity(stack, "Pod", spec, cluster=cluster)
        return

    AwsIdentity(stack, "Pod", spec, cluster=cluster)
    prefixes = [role["name_prefix"] for role in stack.document().resources("aws_iam_role").values()]
    assert all(re.fullmatch(r"[\w+=,.@-]{1,38}", prefix) for prefix in prefixes)
