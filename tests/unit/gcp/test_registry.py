"""What the registry of images on Google Cloud is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeterna.contracts.late import Late
from aeterna.contracts.registry import RegistrySpec
from aeterna.gcp.registry import ArtifactRegistry
from aeterna.synth.app import TerraformOutput
from fixtures.gcp_ground import GroundStack
from fixtures.resource_graph import graph_of, needed_by

if TYPE_CHECKING:
    from aeterna.synth.testing import Document, Json


@pytest.fixture(scope="module")
def synthesis() -> Document:
    stack = GroundStack()
    registry = ArtifactRegistry(stack, "Registry", RegistrySpec(name="acme-prod"), place=stack.place, key=stack.key)
    registry.grant_to(stack, "Pull", email=Late("nodes@acme.iam.gserviceaccount.com"))
    TerraformOutput(stack, "url", value=registry.outputs.url)
    return stack.document()


@pytest.fixture(scope="module")
def repository(synthesis: Document) -> Json:
    return synthesis.only("google_artifact_registry_repository")


def test_a_tag_cannot_be_moved_once_it_is_pushed(repository: Json) -> None:
    assert repository["docker_config"]["immutable_tags"] is True


def test_images_are_scanned_as_they_are_pushed(synthesis: Document, repository: Json) -> None:
    """The registry says that it scans; the service that does so is another one, and off in a new project."""
    services = {each["service"] for each in synthesis.resources("google_project_service").values()}

    assert repository["vulnerability_scanning_config"]["enablement_config"] == "INHERITED"
    assert "containerscanning.googleapis.com" in services


def test_an_image_without_a_tag_goes_after_its_time_and_one_with_a_tag_stays(repository: Json) -> None:
    (policy,) = repository["cleanup_policies"]

    assert repository["cleanup_policy_dry_run"] is False
    assert policy["condition"] == {"tag_state": "UNTAGGED", "older_than": f"{14 * 86400}s"}


def test_images_are_under_the_key_and_the_registrys_account_may_use_it_first(synthesis: Document) -> None:
    (address,) = (
        f"google_artifact_registry_repository.{name}"
        for name in synthesis.resources("google_artifact_registry_repository")
    )

    needed = needed_by(graph_of(synthesis), address)

    assert synthesis.only("google_artifact_registry_repository")["kms_key_name"].startswith("${google_kms_crypto_key.")
    assert any(each.startswith("google_kms_crypto_key_iam_member.") for each in needed)
    assert "gcp-sa-artifactregistry" in synthesis.only("google_kms_crypto_key_iam_member")["member"]


def test_a_node_may_pull_from_this_registry_and_push_nothing(synthesis: Document) -> None:
    granted = synthesis.only("google_artifact_registry_repository_iam_member")

    assert granted["role"] == "roles/artifactregistry.reader"
    assert ".name}" in granted["repository"]


def test_images_are_named_as_the_registry_itself_says(synthesis: Document) -> None:
    assert synthesis.outputs()["url"]["value"].endswith(".registry_uri}")
