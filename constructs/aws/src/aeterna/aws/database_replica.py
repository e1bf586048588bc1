"""A database's copy in a second region: read-only, seconds behind, under a key of that region, ready to be promoted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.aws.account import Account
from aeterna.aws.database_surroundings import PORT, Surroundings, connect_statement
from aeterna.aws.l1.db_instance import AwsDbInstance
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.late import Late
from aeterna.contracts.recovery import ReplicaOutputs
from aeterna.synth.expressions import Fn
from aeterna.synth.lifecycle import Lifecycle
from aeterna.synth.protection import protected
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from aeterna.aws.database import RdsPostgres
    from aeterna.aws.keys import AwsKey
    from aeterna.aws.network import AwsNetwork
    from aeterna.aws.policy_document import Statement
    from aeterna.contracts.database import DatabaseSpec


@names_itself
class RdsReplica(Construct):
    """A read replica of a server of another region, with all that it needs to take the server's place.

    Put it into a stack whose provider is that region's, with a key of that region: a key never leaves its own. Nobody
    is let in until something there is; `security_group_id` is what `aeterna.aws.admission.Admission` opens.

    It stands in one zone until it is promoted, takes backups of its own from the start, and stays promoted once
    somebody has promoted it: a later apply does not try to make a copy of it again.
    """

    def __init__(
        self, scope: Construct, id_: str, spec: DatabaseSpec, *, source: RdsPostgres, network: AwsNetwork, key: AwsKey
    ) -> None:
        super().__init__(scope, id_)
        if source.managed_password:
            problem = "RDS keeps the administrator's password of the source itself, and then makes no copies of it"
            remedy = (
                "make it with managed_password=False, the default; of an existing one name administrator_secret_arn"
            )
            raise InvalidSpecError("RdsReplica", "source", problem, remedy)
        self._account, self._name, self._users = Account(self, "Account"), spec.name, spec.users
        around = Surroundings.of(self, spec, network=network, key=key, account=self._account)
        copy = AwsDbInstance(
            self,
            "Resource",
            # From another region a source is named by its ARN; by its identifier it would be looked for in this one.
            replicate_source_db=source.arn,
            # RDS takes no last snapshot of a copy.
            skip_final_snapshot=True,
            lifecycle=Lifecycle(
                prevent_destroy=protected(self, wanted=spec.protected), ignore_changes=["replicate_source_db"]
            ),
            **around.arguments(),
        )
        self.security_group_id, self.port = around.access.security_group_id, PORT
        self.arn, self._resource_id = Late(copy.arn), copy.resource_id
        self.outputs = ReplicaOutputs(host=Late(copy.address), port=Late(Fn.tostring(copy.port)))

    def access(self) -> tuple[Statement, ...]:
        """Return what a workload needs to log in to the copy as the users of the spec."""
        return (connect_statement(self._name, account=self._account, resource_id=self._resource_id, users=self._users),)
