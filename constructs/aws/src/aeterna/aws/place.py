"""Where a stack of a foundation stands on AWS: its account and region, as the provider reports them."""

from __future__ import annotations

from constructs import Construct

from aeterna.aws.account import Account
from aeterna.contracts.late import Late
from aeterna.contracts.place import PlaceOutputs


class AwsPlace(Construct):
    """The account and region that the stack is applied to."""

    def __init__(self, scope: Construct, id_: str) -> None:
        super().__init__(scope, id_)
        account = Account(self, "Account")
        self.outputs = PlaceOutputs(account=Late(account.id), region=Late(account.region))
