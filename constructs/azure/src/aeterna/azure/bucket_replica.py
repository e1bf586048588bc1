"""A bucket's second region on Azure: what Azure copies by itself, and the bucket of that region."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.azure.bucket import SUBRESOURCES, BlobBucket
from aeterna.azure.l1.storage_object_replication import AzurermStorageObjectReplication
from aeterna.azure.regions import require_pair
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.late import Late
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from aeterna.azure.keys import AzureKey
    from aeterna.azure.network import AzureNetwork
    from aeterna.azure.place import AzurePlace
    from aeterna.contracts.bucket import BucketSpec


@names_itself
class BlobReplica(Construct):
    """A bucket in a second region, under a key of that region, and the copies that are there after the first is lost.

    A flat source is replicated into it, object by object. Azure does not do that for a hierarchical one: there it keeps
    a copy of the whole account in the region that it pairs with the source's, under the source's key, and the second
    region's network gets endpoints to read it. The bucket made here then waits, empty, to be filled from that copy.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        spec: BucketSpec,
        *,
        source: BlobBucket,
        place: AzurePlace,
        key: AzureKey,
        network: AzureNetwork,
    ) -> None:
        super().__init__(scope, id_)
        if place.location == source.place.location:
            problem = f"{place.location!r} is the source's region as well, and would be lost with it"
            raise InvalidSpecError("BlobReplica", "place", problem, "use another region")
        self.bucket = BlobBucket(
            self, "Bucket", spec, place=place, key=key, network=network, hierarchical=source.hierarchical
        )
        self.outputs = self.bucket.outputs
        self.copy_uri = self.outputs.uri
        """Where the copies are read."""
        if source.hierarchical:
            self._read_pair(source, place=place, network=network)
            return
        AzurermStorageObjectReplication(
            self,
            "Resource",
            source_storage_account_id=source.store.id,
            destination_storage_account_id=self.bucket.store.id,
            rules=[
                {
                    "source_container_name": source.filesystem,
                    "destination_container_name": self.bucket.filesystem,
                    "copy_blobs_created_after": "Everything",
                }
            ],
        )

    def _read_pair(self, source: BlobBucket, *, place: AzurePlace, network: AzureNetwork) -> None:
        remedy = "use a region that has a pair, or a bucket with hierarchical=False"
        require_pair("BlobReplica", "source", source.place.location, remedy)
        source.store.copy_to_pair()
        for subresource in SUBRESOURCES:
            network.private_endpoint(
                self,
                f"{subresource.capitalize()}OfPair",
                target_id=source.store.id,
                subresource=f"{subresource}_secondary",
                zone=network.zone(subresource),
                place=place,
            )
        self.copy_uri = Late(f"abfss://{source.filesystem}@{source.store.paired_dfs_host}")
