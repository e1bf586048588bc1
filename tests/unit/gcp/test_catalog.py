"""What the Iceberg catalog on Google Cloud is, and who gets at its tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeterna.contracts.bucket import BucketSpec
from aeterna.contracts.catalog import CatalogSpec
from aeterna.contracts.late import Late
from aeterna.gcp.bucket import GcsBucket
from aeterna.gcp.catalog import BigLakeCatalog
from aeterna.synth.app import TerraformOutput
from aeterna.synth.lowering import lower
from fixtures.gcp_ground import GroundStack
from fixtures.resource_graph import graph_of, needed_by

if TYPE_CHECKING:
    from aeterna.synth.testing import Document, Json


@pytest.fixture(scope="module")
def synthesis() -> Document:
    stack = GroundStack()
    bucket = GcsBucket(stack, "Bucket", BucketSpec(name="acme-graph"), place=stack.place, key=stack.key)
    spec = CatalogSpec(name="prod-graph")
    catalog = BigLakeCatalog(stack, "Catalog", spec, place=stack.place, key=stack.key, bucket=bucket)
    catalog.grant_to(stack, "Use", email=Late("graph-api@acme.iam.gserviceaccount.com"))
    TerraformOutput(stack, "catalog", value=lower(catalog.outputs, "catalog"))
    return stack.document()


@pytest.fixture(scope="module")
def outputs(synthesis: Document) -> Json:
    return synthesis.outputs()["catalog"]["value"]


def test_the_catalog_hands_out_short_lived_rights_on_a_tables_files(synthesis: Document) -> None:
    """Otherwise whoever may read one table has to be able to read every file of every table."""
    catalog = synthesis.only("google_biglake_iceberg_catalog")

    assert catalog["credential_mode"] == "CREDENTIAL_MODE_VENDED_CREDENTIALS"
    assert catalog["default_location"].endswith("/prod-graph")


def test_the_catalogs_own_account_is_let_into_the_bucket_and_the_key_once_it_is_there(synthesis: Document) -> None:
    """BigLake makes the account together with the catalog: nobody can have let it in before."""
    granted = [
        each
        for kind in ("google_storage_bucket_iam_member", "google_kms_crypto_key_iam_member")
        for each in synthesis.resources(kind).values()
        if ".biglake_service_account}" in each["member"]
    ]

    assert sorted(each["role"] for each in granted) == [
        "roles/cloudkms.cryptoKeyEncrypterDecrypter",
        "roles/storage.objectUser",
    ]


def test_the_catalogs_own_account_is_waited_for(synthesis: Document) -> None:
    """It is named as soon as the catalog is there, and can be granted something a moment later."""
    grants = [
        f"{kind}.{name}"
        for kind in ("google_storage_bucket_iam_member", "google_kms_crypto_key_iam_member")
        for name in synthesis.resources(kind)
        if name.startswith("Catalog")
    ]

    assert len(grants) == 2
    for grant in grants:
        assert any(each.startswith("time_sleep.Catalog_AccountThere") for each in graph_of(synthesis)[grant])


def test_nothing_is_made_in_the_catalog_before_its_account_is_let_in(synthesis: Document) -> None:
    (address,) = (
        f"google_biglake_iceberg_namespace.{name}" for name in synthesis.resources("google_biglake_iceberg_namespace")
    )

    needed = needed_by(graph_of(synthesis), address)

    assert any(each.startswith("google_storage_bucket_iam_member.") for each in needed)
    assert any(each.startswith("time_sleep.") and "BucketGrant" in each for each in needed)


def test_a_workload_may_use_this_catalog_and_gets_no_right_on_the_bucket(synthesis: Document) -> None:
    member = "serviceAccount:graph-api@acme.iam.gserviceaccount.com"
    kinds = {
        kind
        for kind, named in synthesis.json["resource"].items()
        if any(each.get("member") == member for each in named.values())
    }

    assert kinds == {"google_biglake_iceberg_catalog_iam_member", "google_project_iam_member"}
    assert synthesis.only("google_biglake_iceberg_catalog_iam_member")["role"] == "roles/biglake.editor"


def test_whose_quota_a_request_counts_against_is_allowed_and_said(synthesis: Document, outputs: Json) -> None:
    """Without the header and the role, the service answers 403 to a request that is otherwise right."""
    allowed = synthesis.only("google_project_iam_member")

    assert allowed["role"] == "roles/serviceusage.serviceUsageConsumer"
    assert "data.google_project." in outputs["properties"]["header.x-goog-user-project"]


def test_a_client_is_told_all_that_the_rest_protocol_needs(outputs: Json) -> None:
    assert outputs["uri"] == "https://biglake.googleapis.com/iceberg/v1/restcatalog"
    assert outputs["warehouse"].startswith("bl://projects/${google_biglake_iceberg_catalog.")
    assert outputs["properties"]["header.X-Iceberg-Access-Delegation"] == "vended-credentials"
    assert outputs["namespace"].endswith(".namespace_id}")
