"""A registry of container images on AWS: one ECR repository for each image, under the customer's key."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.aws.account import Account
from aeterna.aws.l1.ecr_lifecycle_policy import AwsEcrLifecyclePolicy
from aeterna.aws.l1.ecr_repository import AwsEcrRepository
from aeterna.aws.l1.ecr_repository_policy import AwsEcrRepositoryPolicy
from aeterna.aws.policy_document import EVERYONE, Condition, Statement, document
from aeterna.contracts.late import Late
from aeterna.contracts.registry import RegistryOutputs
from aeterna.synth.expressions import Fn
from aeterna.synth.lifecycle import Lifecycle
from aeterna.synth.protection import protected
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from aeterna.aws.keys import AwsKey
    from aeterna.contracts.registry import RegistrySpec


@names_itself
class EcrRegistry(Construct):
    """Repositories below one name, whose tags stay where they were pushed and whose images are scanned on push.

    The nodes of a cluster of the same account may pull from them: IAM lets their role, and no key has to, because ECR
    itself opens the layers under the grant that it made when the repository was created.
    """

    def __init__(self, scope: Construct, id_: str, spec: RegistrySpec, *, key: AwsKey) -> None:
        super().__init__(scope, id_)
        account = Account(self, "Account")
        self.repositories = {image: self._repository(spec, image, key=key, account=account) for image in spec.images}
        image = spec.images[0]
        url = Fn.trimsuffix(self.repositories[image].repository_url, f"/{image}")
        self.outputs = RegistryOutputs(url=Late(url))

    def _repository(self, spec: RegistrySpec, image: str, *, key: AwsKey, account: Account) -> AwsEcrRepository:
        name = f"{spec.name}/{image}"
        repository = AwsEcrRepository(
            self,
            f"Repository-{image}",
            name=name,
            image_tag_mutability="IMMUTABLE",
            image_scanning_configuration={"scan_on_push": True},
            encryption_configuration=[{"encryption_type": "KMS", "kms_key": key.arn}],
            force_delete=not spec.protected,
            tags={"Name": name},
            lifecycle=Lifecycle(prevent_destroy=protected(self, wanted=spec.protected)),
        )
        AwsEcrRepositoryPolicy(
            self, f"Policy-{image}", repository=repository.name, policy=document([_account_alone(account)])
        )
        AwsEcrLifecyclePolicy(self, f"Lifecycle-{image}", repository=repository.name, policy=_forget(spec))
        return repository


def _account_alone(account: Account) -> Statement:
    """Keep every other account out, whatever another statement lets in later; services of AWS still scan and copy."""
    return Statement(
        sid="DenyOtherAccounts",
        effect="Deny",
        principals=(EVERYONE,),
        actions=("ecr:*",),
        conditions=(
            Condition(test="StringNotEquals", variable="aws:PrincipalAccount", values=(account.id,)),
            Condition(test="Bool", variable="aws:PrincipalIsAWSService", values=("false",)),
        ),
    )


def _forget(spec: RegistrySpec) -> str:
    """Return the rule that removes what no tag names any more; a tagged image stays for ever."""
    selection = {
        "tagStatus": "untagged",
        "countType": "sinceImagePushed",
        "countUnit": "days",
        "countNumber": spec.untagged_days,
    }
    rule = {
        "rulePriority": 1,
        "description": "Forget what no tag names",
        "selection": selection,
        "action": {"type": "expire"},
    }
    return json.dumps({"rules": [rule]}, separators=(",", ":"))
