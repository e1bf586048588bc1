"""What a workload's identity on Google Cloud is, read from what Terraform would be given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeterna.contracts.database import DatabaseSpec
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.identity import IdentitySpec
from aeterna.gcp.database import CloudSqlPostgres
from aeterna.gcp.identity import GcpIdentity
from aeterna.synth.app import TerraformOutput
from fixtures.gcp_stack import GoogleStack, named, waits_for

if TYPE_CHECKING:
    from aeterna.synth.testing import Document

SPEC = IdentitySpec(name="threads", namespace="aeterna", service_account="threads-server")


@pytest.fixture(scope="module")
def synthesis() -> Document:
    stack = GoogleStack()
    database = CloudSqlPostgres(
        stack, "Database", DatabaseSpec(name="threads"), place=stack.place, network=stack.network, key=stack.key
    )
    identity = GcpIdentity(stack, "Identity", SPEC, cluster=stack.made_cluster())
    identity.use("UseDatabase", database)
    TerraformOutput(stack, "annotations", value=dict(identity.outputs.annotations))
    TerraformOutput(stack, "login", value=identity.outputs.logins["threads"])
    return stack.document()


def test_exactly_one_service_account_of_exactly_one_cluster_acts_as_the_identity(synthesis: Document) -> None:
    binding = named(synthesis.resources("google_service_account_iam_member"), "Identity_Binding")

    assert binding["role"] == "roles/iam.workloadIdentityUser"
    assert binding["member"].endswith("workload_pool}[aeterna/threads-server]")
    assert binding["member"].startswith("serviceAccount:${google_container_cluster.")


def test_the_binding_waits_for_the_cluster_whose_pool_it_names(synthesis: Document) -> None:
    """The pool of a project exists only once its first cluster does."""
    binding = named(synthesis.resources("google_service_account_iam_member"), "Identity_Binding")

    assert waits_for(binding, "google_container_cluster")


def test_a_pods_service_account_carries_the_address_of_the_identity(synthesis: Document) -> None:
    annotations = synthesis.outputs()["annotations"]["value"]

    assert set(annotations) == {"iam.gke.io/gcp-service-account"}
    assert annotations["iam.gke.io/gcp-service-account"].endswith(".email}")


def test_the_identity_logs_into_the_database_by_its_own_name(synthesis: Document) -> None:
    login = synthesis.outputs()["login"]["value"]

    assert "trimsuffix" in login
    assert ".gserviceaccount.com" in login


def test_an_identity_has_no_key(synthesis: Document) -> None:
    assert "google_service_account_key" not in synthesis.json["resource"]


def test_a_name_that_is_too_long_for_an_account_is_refused_with_the_length_that_fits() -> None:
    stack = GoogleStack()
    spec = IdentitySpec(name="a" * 26, namespace="aeterna", service_account="a")

    with pytest.raises(InvalidSpecError, match="30"):
        GcpIdentity(stack, "Identity", spec, cluster=stack.cluster())
