"""One bucket and one Iceberg catalog on Google Cloud, in a data team's own stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.contracts.bucket import BucketSpec
from aeterna.contracts.catalog import CatalogSpec
from aeterna.contracts.keys import KeySpec
from aeterna.gcp.bucket import GcsBucket
from aeterna.gcp.catalog import BigLakeCatalog
from aeterna.gcp.keys import GcpKey
from aeterna.gcp.l1.provider import GoogleProvider
from aeterna.gcp.place import GcpPlace
from aeterna.synth.app import TerraformOutput, TerraformStack
from aeterna.synth.aspects import attach
from aeterna.synth.backends import keep_beside
from aeterna.synth.rules.guardrails import Guardrails

if TYPE_CHECKING:
    from constructs import Construct

REGION = "europe-west4"


class Lakehouse(TerraformStack):
    """The stack of a data team, which keeps its agents' graph in tables that its own engines read as well."""

    def __init__(self, scope: Construct, id_: str) -> None:
        super().__init__(scope, id_)
        keep_beside(self)
        GoogleProvider(self, "google", project="acme-data", region=REGION, default_labels={"team": "data"})
        place = GcpPlace(self, "Place", region=REGION)
        key = GcpKey(self, "Key", KeySpec(purpose="graph"), place=place)
        bucket = GcsBucket(self, "Bucket", BucketSpec(name="acme-lakehouse"), place=place, key=key)
        catalog = BigLakeCatalog(self, "Catalog", CatalogSpec(name="lakehouse"), place=place, key=key, bucket=bucket)
        TerraformOutput(self, "catalog", value=catalog.outputs.uri)
        attach(self, Guardrails())
