"""What a workload's identity on Azure is, and into which stores it is let."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from aeterna.azure.cache import ManagedRedis
from aeterna.azure.cluster import AksCluster
from aeterna.azure.database import FlexiblePostgres
from aeterna.azure.identity import AzureIdentity
from aeterna.contracts.cache import CacheSpec
from aeterna.contracts.cluster import ClusterSpec
from aeterna.contracts.database import DatabaseSpec
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.identity import IdentitySpec
from aeterna.synth.app import TerraformOutput
from fixtures.azure_network_stack import AzureNetworkStack

if TYPE_CHECKING:
    from aeterna.synth.testing import Document

SPEC = IdentitySpec(name="threads", namespace="aeterna", service_account="threads")


@pytest.fixture(scope="module")
def synthesis() -> Document:
    stack = AzureNetworkStack()
    cluster = AksCluster(stack, "Cluster", ClusterSpec(name="prod"), **stack.around)
    database = FlexiblePostgres(stack, "Database", DatabaseSpec(name="threads"), **stack.around)
    cache = ManagedRedis(stack, "Cache", CacheSpec(name="policy"), **stack.around)
    identity = AzureIdentity(stack, "Identity", SPEC, cluster=cluster)
    identity.use("UseDatabase", database)
    identity.use("UseCache", cache)
    migration = IdentitySpec(name="migration", namespace="aeterna", service_account="migration")
    database.administered_by(stack, "Migration", migration, cluster=cluster)
    told = identity.outputs
    TerraformOutput(stack, "annotations", value=told.annotations)
    TerraformOutput(stack, "labels", value=told.pod_labels)
    TerraformOutput(stack, "logins", value=told.logins)
    return stack.document()


def test_exactly_one_service_account_becomes_the_identity(synthesis: Document) -> None:
    """A pattern, or another audience, would let in whoever comes later."""
    (credential,) = (
        made
        for made in synthesis.resources("azurerm_federated_identity_credential").values()
        if made["name"] == "prod-threads"
    )

    assert credential["subject"] == "system:serviceaccount:aeterna:threads"
    assert credential["audience"] == ["api://AzureADTokenExchange"]
    assert credential["issuer"].endswith(".oidc_issuer_url}")


def test_no_identity_has_two_credentials_which_azure_would_write_at_the_same_time(synthesis: Document) -> None:
    credentials = synthesis.resources("azurerm_federated_identity_credential").values()
    identities = [credential["user_assigned_identity_id"] for credential in credentials]

    assert len(identities) == len(set(identities)) == 2


def test_pods_are_told_what_the_clusters_webhook_looks_for(synthesis: Document) -> None:
    outputs = synthesis.outputs()

    assert outputs["labels"]["value"] == {"azure.workload.identity/use": "true"}
    (client,) = outputs["annotations"]["value"].values()
    assert client.endswith(".client_id}")


def test_it_logs_in_to_the_database_by_its_name_and_to_the_cache_as_its_object(synthesis: Document) -> None:
    logins = synthesis.outputs()["logins"]["value"]

    assert re.fullmatch(r"\$\{azurerm_user_assigned_identity\.\w+\.name\}", logins["threads"])
    assert re.fullmatch(r"\$\{azurerm_user_assigned_identity\.\w+\.principal_id\}", logins["policy"])
    assert synthesis.only("azurerm_managed_redis_access_policy_assignment")["object_id"] == logins["policy"]


def test_no_two_identities_of_a_group_have_one_name(synthesis: Document) -> None:
    """Azure takes the second for the first, and each would have the other's rights."""
    names = [made["name"] for made in synthesis.resources("azurerm_user_assigned_identity").values()]

    assert len(names) == len(set(names))


def test_a_database_is_administered_by_one_service_account() -> None:
    stack = AzureNetworkStack()
    cluster = AksCluster(stack, "Cluster", ClusterSpec(name="prod"), **stack.around)
    database = FlexiblePostgres(stack, "Database", DatabaseSpec(name="threads"), **stack.around)
    database.administered_by(stack, "First", SPEC, cluster=cluster)

    with pytest.raises(InvalidSpecError, match="every migration as that one"):
        database.administered_by(stack, "Second", SPEC, cluster=cluster)


def test_a_name_that_no_role_of_postgresql_can_have_is_refused() -> None:
    stack = AzureNetworkStack()
    cluster = AksCluster(stack, "Cluster", ClusterSpec(name="c" * 40), **stack.around)

    with pytest.raises(InvalidSpecError, match="at most"):
        AzureIdentity(
            stack, "Identity", IdentitySpec(name="i" * 23, namespace="a", service_account="b"), cluster=cluster
        )
