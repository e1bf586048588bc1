"""The Iceberg catalog on Google Cloud: BigLake, which hands out short-lived rights on the customer's bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.contracts.catalog import CatalogOutputs
from aeterna.contracts.late import Late
from aeterna.gcp.bucket import READ_WRITE
from aeterna.gcp.l1.biglake_iceberg_catalog import GoogleBiglakeIcebergCatalog
from aeterna.gcp.l1.biglake_iceberg_catalog_iam_member import GoogleBiglakeIcebergCatalogIamMember
from aeterna.gcp.l1.biglake_iceberg_namespace import GoogleBiglakeIcebergNamespace
from aeterna.gcp.l1.project_iam_member import GoogleProjectIamMember
from aeterna.gcp.waiting import settled
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.contracts.catalog import CatalogSpec
    from aeterna.gcp.bucket import GcsBucket
    from aeterna.gcp.keys import GcpKey
    from aeterna.gcp.place import GcpPlace
    from aeterna.synth._cdk import ITerraformDependable

ENDPOINT = "https://biglake.googleapis.com/iceberg/v1/restcatalog"
EDIT = "roles/biglake.editor"
BILL = "roles/serviceusage.serviceUsageConsumer"


@names_itself
class BigLakeCatalog(Construct):
    """A catalog with one namespace, whose tables live in the bucket below the catalog's name.

    BigLake makes an account for the catalog, which has to be let into the bucket afterwards: only then can it hand out
    rights on a table's files to whoever may use the table.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        spec: CatalogSpec,
        *,
        place: GcpPlace,
        key: GcpKey,
        bucket: GcsBucket,
    ) -> None:
        super().__init__(scope, id_)
        self._place = place
        self._catalog = GoogleBiglakeIcebergCatalog(
            self,
            "Resource",
            name=spec.name,
            catalog_type="CATALOG_TYPE_BIGLAKE",
            credential_mode="CREDENTIAL_MODE_VENDED_CREDENTIALS",
            default_location=f"{bucket.outputs.uri}/{spec.name}",
            description=f"Tables of {spec.name}",
            depends_on=[place.service("biglake")],
        )
        account = f"serviceAccount:{self._catalog.biglake_service_account}"
        # The account is there a moment later than the catalog that names it.
        there = [settled(self, "AccountThere", after=[self._catalog])]
        files = bucket.grant(self, "BucketGrant", account, READ_WRITE, after=there)
        opened = key.grant(self, "KeyGrant", account, after=there)
        namespace = GoogleBiglakeIcebergNamespace(
            self,
            "Namespace",
            catalog=self._catalog.name,
            namespace_id=spec.namespace_name(),
            depends_on=[*files, opened],
        )
        warehouse = Late(f"bl://projects/{self._catalog.project}/catalogs/{self._catalog.name}")
        self.outputs = CatalogOutputs(
            uri=Late(ENDPOINT),
            warehouse=warehouse,
            namespace=Late(namespace.namespace_id),
            properties={
                "header.x-goog-user-project": place.project,
                "header.X-Iceberg-Access-Delegation": Late("vended-credentials"),
            },
            address=Late(
                f"{ENDPOINT}?warehouse={warehouse}&auth=google&project={place.project}"
                f"&namespace={namespace.namespace_id}"
            ),
            files=Late(f"{bucket.outputs.uri}/{spec.name}"),
        )

    def grant_to(self, scope: Construct, id_: str, *, email: Late) -> Sequence[ITerraformDependable]:
        """Let an account read and commit tables, and have its requests counted against the project."""
        return CatalogGrant(scope, id_, catalog=self._catalog, place=self._place, email=email).ready


class CatalogGrant(Construct):
    """The right of one account to use one catalog."""

    def __init__(
        self, scope: Construct, id_: str, *, catalog: GoogleBiglakeIcebergCatalog, place: GcpPlace, email: Late
    ) -> None:
        super().__init__(scope, id_)
        member = f"serviceAccount:{email}"
        edit = GoogleBiglakeIcebergCatalogIamMember(self, "Resource", name=catalog.name, role=EDIT, member=member)
        bill = GoogleProjectIamMember(self, "Bill", project=place.project, role=BILL, member=member)
        self.ready: tuple[ITerraformDependable, ...] = (settled(self, "Known", after=[edit, bill]),)
