"""One construct in a team's own stack, beside the network that the team already has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.aws.database import RdsPostgres
from aeterna.aws.keys import AwsKey
from aeterna.aws.l1.provider import AwsProvider
from aeterna.aws.network import AwsNetwork
from aeterna.contracts.database import DatabaseSpec
from aeterna.contracts.keys import KeySpec
from aeterna.synth.app import TerraformOutput, TerraformStack
from aeterna.synth.backends import keep_beside

if TYPE_CHECKING:
    from constructs import Construct


class Payments(TerraformStack):
    """The stack of the payments team, which keeps its agents' conversations in a database of its own."""

    def __init__(self, scope: Construct, id_: str) -> None:
        super().__init__(scope, id_)
        keep_beside(self)
        AwsProvider(self, "aws", region="eu-west-1")
        network = AwsNetwork.existing(
            self, "Network", vpc_id="vpc-0a1b", private_subnet_ids=["subnet-1", "subnet-2", "subnet-3"]
        )
        key = AwsKey(self, "Key", KeySpec(purpose="threads"))
        threads = RdsPostgres(self, "Threads", DatabaseSpec(name="threads"), network=network, key=key)
        TerraformOutput(self, "endpoint", value=threads.outputs.endpoint)
