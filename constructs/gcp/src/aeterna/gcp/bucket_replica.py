"""A bucket in a second region, under a key of that region, that receives a copy of every object."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.gcp.bucket import GcsBucket
from aeterna.gcp.transfers import Replication
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from aeterna.contracts.bucket import BucketSpec
    from aeterna.gcp.keys import GcpKey
    from aeterna.gcp.place import GcpPlace


@names_itself
class GcsBucketReplica(Construct):
    """A bucket like the source, in the place's region, and what copies to it.

    A bucket of Google's that spans two regions would keep both copies under one key that spans them as well. Two
    buckets, each under a key of its own region, survive the loss of either (ADR 0022).
    """

    def __init__(
        self, scope: Construct, id_: str, spec: BucketSpec, *, source: GcsBucket, place: GcpPlace, key: GcpKey
    ) -> None:
        super().__init__(scope, id_)
        bucket = GcsBucket(self, "Bucket", spec, place=place, key=key)
        Replication(self, "Replication", name=spec.name, place=place, source=source.name, sink=bucket.name)
        self.outputs = bucket.outputs
