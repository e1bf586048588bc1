"""Laws of a whole foundation, read from the graph that the engine will walk, all layers and all clouds alike."""

from __future__ import annotations

from graphlib import TopologicalSorter
from typing import TYPE_CHECKING

from aeterna.synth.registry import clouds
from fixtures.fix_foundation import CLOUDS
from fixtures.resource_graph import graph_of, kind_of

if TYPE_CHECKING:
    from fixtures.resource_graph import Joined

LAYERS = ["bootstrap", "network", "data", "recovery", "cluster"]

GRANTS = {
    "aws_iam_role_policy": "role",
    "aws_iam_role_policy_attachment": "role",
    "azurerm_role_assignment": "principal_id",
    "google_kms_crypto_key_iam_member": "member",
    "google_project_iam_member": "member",
    "google_service_account_iam_member": "member",
    "google_storage_bucket_iam_member": "member",
}
"""What lets an identity do something, and which argument says whom.

Reading images from a registry is not among them: a pod tries that again until it may.
"""

ACTORS = {
    "aws_iam_role": (
        "iam_role_arn",
        "monitoring_role_arn",
        "node_role_arn",
        "pod_identity_association",
        "role",
        "role_arn",
    ),
    "azurerm_user_assigned_identity": ("identity", "customer_managed_key", "encryption"),
    "google_service_account": ("node_config", "service_account", "service_account_email"),
}
"""By kind of identity, in which arguments a resource says that it acts as one.

The identity that the nodes of AKS pull images with is not among them: a pod tries that again until it may.
"""

BINDINGS = {"aws_eks_pod_identity_association", "aws_iam_instance_profile", "azurerm_federated_identity_credential"}
"""What lets others act as an identity, and does nothing itself; its pods wait for the identity's `ready`."""


def test_every_installed_cloud_is_tested() -> None:
    assert clouds() == CLOUDS


def test_a_foundation_has_its_layers_in_the_order_in_which_they_are_applied(critical: Joined) -> None:
    assert list(critical.layers) == LAYERS


def test_nothing_waits_for_itself_inside_a_stack(critical: Joined) -> None:
    """The classic circle is a key whose policy names a role that needs the key."""
    for layer, document in critical.layers.items():
        order = list(TopologicalSorter(graph_of(document)).static_order())

        assert len(order) == len(document.addresses()), layer


def test_nothing_waits_for_itself_across_the_stacks(critical: Joined) -> None:
    order = list(TopologicalSorter(critical.graph).static_order())

    assert set(order) == set(critical.graph)


def test_a_layer_reads_only_what_was_applied_before_it(critical: Joined) -> None:
    """A reference back would make the first apply impossible, and every later one a matter of luck."""
    for layer, document in critical.layers.items():
        earlier = LAYERS[: LAYERS.index(layer)]

        assert critical.reads(layer) <= set(earlier), document.data("terraform_remote_state")


def test_what_acts_as_an_identity_comes_after_everything_that_the_identity_may_do(critical: Joined) -> None:
    """Otherwise it starts without its permissions, and fails or hangs in a way that a second apply seems to cure."""
    early = [
        f"{actor} before {grant}"
        for actor, identity in acting(critical)
        for grant, grantee in granted(critical)
        if grantee == identity and actor not in critical.needed_by(grant) and not critical.follows(actor, grant)
    ]

    assert early == []


def test_there_are_identities_and_grants_to_look_at(critical: Joined) -> None:
    """The law above would hold for a foundation in which it recognised nothing."""
    grantees = {identity for _, identity in granted(critical)}

    assert {identity for _, identity in acting(critical)} & grantees


def acting(foundation: Joined) -> list[tuple[str, str]]:
    """Return which resource acts as which identity."""
    return [
        (address, identity)
        for layer, address, arguments in foundation.elements()
        if kind_of(address) not in GRANTS.keys() | BINDINGS
        for kind, names in ACTORS.items()
        for name in names
        for identity in foundation.references(layer, arguments.get(name))
        if kind_of(identity) == kind
    ]


def granted(foundation: Joined) -> list[tuple[str, str]]:
    """Return which grant is for which identity."""
    return [
        (address, identity)
        for layer, address, arguments in foundation.elements()
        if kind_of(address) in GRANTS
        for identity in foundation.references(layer, arguments[GRANTS[kind_of(address)]])
        if kind_of(identity) in ACTORS
    ]
