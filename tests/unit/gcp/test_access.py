"""Who administers a GKE cluster, read from what Terraform would be given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeterna.contracts.cluster import ClusterSpec
from fixtures.gcp_stack import GoogleStack, named, waits_for

if TYPE_CHECKING:
    from aeterna.synth.testing import Document, Json

ADMINISTRATOR = "roles/container.admin"


@pytest.fixture(scope="module")
def synthesis() -> Document:
    stack = GoogleStack()
    stack.made_cluster(
        ClusterSpec(
            name="prod",
            deployer="serviceAccount:ci@acme.iam.gserviceaccount.com",
            administrators=("group:platform@example.com",),
            break_glass=("user:ada@example.com", "user:grace@example.com"),
        )
    )
    return stack.document()


def administrators(document: Document) -> dict[str, Json]:
    return {
        name: grant
        for name, grant in document.resources("google_project_iam_member").items()
        if grant["role"] == ADMINISTRATOR
    }


def test_deployer_administrators_and_the_emergency_account_administer_the_cluster(synthesis: Document) -> None:
    members = [grant["member"] for grant in administrators(synthesis).values()]

    assert {"serviceAccount:ci@acme.iam.gserviceaccount.com", "group:platform@example.com"} < set(members)
    assert sum("BreakGlass" in member for member in members) == 1


def test_no_condition_keeps_administrators_out_of_the_kubernetes_api(synthesis: Document) -> None:
    """GKE tells IAM no resource there: whatever a condition asks of it is not met, and nobody would get in."""
    grants = administrators(synthesis).values()

    assert len(grants) == 3
    assert all("condition" not in grant for grant in grants)


def test_the_emergency_account_can_be_acted_as_in_a_project_where_nothing_is_switched_on(synthesis: Document) -> None:
    account = named(synthesis.resources("google_service_account"), "BreakGlass")

    assert waits_for(account, "iam-answers")
    assert waits_for(account, "iamcredentials-answers")


def test_the_emergency_account_is_acted_as_by_the_named_people_and_by_nobody_else(synthesis: Document) -> None:
    grants = synthesis.resources("google_service_account_iam_member").values()

    assert {grant["member"] for grant in grants} == {"user:ada@example.com", "user:grace@example.com"}
    assert {grant["role"] for grant in grants} == {"roles/iam.serviceAccountTokenCreator"}


def test_no_account_has_a_key(synthesis: Document) -> None:
    assert "google_service_account_key" not in synthesis.json["resource"]


def test_whoever_applies_first_stays_administrator_when_somebody_else_applies() -> None:
    stack = GoogleStack()
    stack.made_cluster(ClusterSpec(name="prod"))

    deployer = named(administrators(stack.document()), "Deployer")

    assert "google_client_openid_userinfo" in deployer["member"]
    assert deployer["lifecycle"]["ignore_changes"] == ["member"]


def test_a_named_deployer_is_not_asked_for_an_address(synthesis: Document) -> None:
    """A pipeline that comes from another identity provider has none, and the question fails."""
    assert not synthesis.data("google_client_openid_userinfo")
