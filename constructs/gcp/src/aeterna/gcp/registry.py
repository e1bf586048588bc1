"""A registry of container images on Google Cloud: Artifact Registry under the customer's key, with tags that stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.contracts.late import Late
from aeterna.contracts.registry import RegistryOutputs
from aeterna.gcp.key_uses import User, used_by
from aeterna.gcp.l1.artifact_registry_repository import GoogleArtifactRegistryRepository
from aeterna.gcp.l1.artifact_registry_repository_iam_member import GoogleArtifactRegistryRepositoryIamMember
from aeterna.gcp.waiting import settled
from aeterna.synth.lifecycle import Lifecycle
from aeterna.synth.protection import protected
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.contracts.registry import RegistrySpec
    from aeterna.gcp.keys import GcpKey
    from aeterna.gcp.place import GcpPlace
    from aeterna.synth._cdk import ITerraformDependable

PULL = "roles/artifactregistry.reader"
SECONDS_A_DAY = 86400


@names_itself
class ArtifactRegistry(Construct):
    """A repository of images in the place's region, scanned as they are pushed.

    It holds any image; those that the spec names need not exist beforehand.
    """

    def __init__(self, scope: Construct, id_: str, spec: RegistrySpec, *, place: GcpPlace, key: GcpKey) -> None:
        super().__init__(scope, id_)
        key.require_at("RegistrySpec", place.region)
        switched_on = place.service("artifactregistry")
        self._repository = GoogleArtifactRegistryRepository(
            self,
            "Resource",
            repository_id=spec.name,
            location=place.region,
            format="DOCKER",
            mode="STANDARD_REPOSITORY",
            description=f"Images of {spec.name}",
            kms_key_name=key.id,
            docker_config={"immutable_tags": True},
            vulnerability_scanning_config={"enablement_config": "INHERITED"},
            cleanup_policy_dry_run=False,
            cleanup_policies=[
                {
                    "id": "untagged",
                    "action": "DELETE",
                    "condition": {"tag_state": "UNTAGGED", "older_than": f"{spec.untagged_days * SECONDS_A_DAY}s"},
                }
            ],
            lifecycle=Lifecycle(prevent_destroy=protected(self, wanted=spec.protected)),
            depends_on=[switched_on, used_by(User.REGISTRY, key=key, place=place), place.service("containerscanning")],
        )
        self.outputs = RegistryOutputs(url=Late(self._repository.registry_uri))

    def grant(self, scope: Construct, id_: str, member: str, role: str = PULL) -> Sequence[ITerraformDependable]:
        """Give one member a role on this registry, below the scope, and return what waits until it has it."""
        return RegistryGrant(scope, id_, repository=self._repository, member=member, role=role).ready

    def grant_to(self, scope: Construct, id_: str, *, email: Late) -> Sequence[ITerraformDependable]:
        """Let an account pull images."""
        return self.grant(scope, id_, f"serviceAccount:{email}")


class RegistryGrant(Construct):
    """A role of one member on one registry."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        repository: GoogleArtifactRegistryRepository,
        member: str,
        role: str,
    ) -> None:
        super().__init__(scope, id_)
        granted = GoogleArtifactRegistryRepositoryIamMember(
            self,
            "Resource",
            location=repository.location,
            repository=repository.name,
            role=role,
            member=member,
        )
        self.ready: tuple[ITerraformDependable, ...] = (settled(self, "Known", after=[granted]),)
