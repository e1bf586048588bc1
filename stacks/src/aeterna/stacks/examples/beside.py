"""Aeterna beside what a platform team already has: its network, its cluster and its database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.aws.cloud import AWS
from aeterna.aws.cluster import EksCluster
from aeterna.aws.database import ExistingDatabase, RdsPostgres
from aeterna.aws.keys import AwsKey
from aeterna.aws.network import AwsNetwork
from aeterna.contracts.foundation import FoundationSpec
from aeterna.contracts.sizes import Part
from aeterna.stacks.foundation import compose
from aeterna.stacks.layers import Given
from aeterna.synth.app import TerraformOutput, TerraformStack
from aeterna.synth.aspects import attach
from aeterna.synth.backends import keep_beside
from aeterna.synth.rules.guardrails import Guardrails

if TYPE_CHECKING:
    from constructs import Construct

REGION = "eu-west-1"


class Beside(TerraformStack):
    """The stack of a platform team: only the cache, the bucket, the catalog and the identities are made."""

    def __init__(self, scope: Construct, id_: str) -> None:
        super().__init__(scope, id_)
        keep_beside(self)
        place = AWS.prepare(self, region=REGION, tags={"team": "platform"})
        network = AwsNetwork.existing(
            self, "Network", vpc_id="vpc-0a1b", private_subnet_ids=["subnet-1", "subnet-2", "subnet-3"]
        )
        cluster = EksCluster.existing(self, "Cluster", name="shared")
        key = AwsKey.existing(self, "DatabaseKey", key_arn="arn:aws:kms:eu-west-1:111122223333:key/1234")
        database = RdsPostgres.existing(
            self, "Database", ExistingDatabase(identifier="shared", security_group_id="sg-0d4c"), key=key
        )
        spec = FoundationSpec(name="agents", region=REGION, owner="acme", parts=frozenset({Part.BACKUP}))
        outputs = compose(
            self, AWS, spec, place=place, given=Given(network=network, cluster=cluster, database=database)
        )
        TerraformOutput(self, "catalog", value=outputs.catalog.uri)
        attach(self, Guardrails())
