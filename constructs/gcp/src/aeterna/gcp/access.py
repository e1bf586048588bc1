"""Who administers a cluster: the deployer, the named administrators, and an emergency account whose use is recorded."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.naming import suffixed
from aeterna.gcp.identity import LONGEST_ACCOUNT
from aeterna.gcp.l1.data_client_openid_userinfo import DataGoogleClientOpenidUserinfo
from aeterna.gcp.l1.project_iam_member import GoogleProjectIamMember
from aeterna.gcp.l1.service_account import GoogleServiceAccount
from aeterna.gcp.l1.service_account_iam_member import GoogleServiceAccountIamMember
from aeterna.synth.expressions import Fn, Token
from aeterna.synth.lifecycle import Lifecycle
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from aeterna.contracts.cluster import ClusterSpec
    from aeterna.gcp.place import GcpPlace
    from aeterna.synth._cdk import ITerraformDependable

ADMINISTRATOR = "roles/container.admin"
IMPERSONATE = "roles/iam.serviceAccountTokenCreator"
MEMBER = re.compile(r"(?:user|group|serviceAccount|principal|principalSet|domain):\S+")
SERVICE_ACCOUNT_DOMAIN = ".gserviceaccount.com"
FOLLOWS_THE_SPEC = Lifecycle()


@names_itself
class ClusterAccess(Construct):
    """The administrators of a cluster, by IAM alone: there is no password and no client certificate.

    The role is of the project: GKE tells IAM no resource when it asks whether a call to the Kubernetes API is allowed,
    so that a condition on the cluster's name is never met there, and would leave nobody but the project's owners in.

    Nobody holds the emergency account's rights by themselves: whoever may act as it gets a token for an hour, and the
    cluster's audit log says who acted as it. `members` are what has to be there first.
    """

    def __init__(self, scope: Construct, id_: str, spec: ClusterSpec, *, place: GcpPlace) -> None:
        super().__init__(scope, id_)
        self._place = place
        _require_members(spec)
        self.members: list[ITerraformDependable] = []
        if spec.deployer is None:
            self._whoever_applies()
        else:
            self._administrator("Deployer", spec.deployer)
        for number, member in enumerate(spec.administrators, start=1):
            self._administrator(f"Administrator{number}", member)
        self.emergency = GoogleServiceAccount(
            self,
            "BreakGlass",
            account_id=suffixed("ClusterSpec", "name", spec.name, "break-glass", longest=LONGEST_ACCOUNT),
            display_name=f"Emergency access to {spec.name}",
            depends_on=[place.service("iam"), place.service("iamcredentials")],
        )
        self._administrator("BreakGlassRole", self.emergency.member)
        for number, member in enumerate(spec.break_glass, start=1):
            GoogleServiceAccountIamMember(
                self,
                f"BreakGlassUser{number}",
                service_account_id=self.emergency.name,
                role=IMPERSONATE,
                member=member,
            )

    def _administrator(self, id_: str, member: str, *, lifecycle: Lifecycle = FOLLOWS_THE_SPEC) -> None:
        granted = GoogleProjectIamMember(
            Construct(self, id_),
            "Role",
            project=self._place.project,
            role=ADMINISTRATOR,
            member=member,
            lifecycle=lifecycle,
        )
        self.members.append(granted)

    def _whoever_applies(self) -> None:
        """Make the one who applies first administrator, and keep that when somebody else applies."""
        email = DataGoogleClientOpenidUserinfo(self, "Caller").email
        kind = Fn.conditional(Fn.endswith(email, SERVICE_ACCOUNT_DOMAIN), "serviceAccount", "user")
        kept = Lifecycle(ignore_changes=["member"])
        self._administrator("Deployer", f"{Token.as_string(kind)}:{email}", lifecycle=kept)


def _require_members(spec: ClusterSpec) -> None:
    """Refuse a principal without its kind in front, which IAM would refuse at apply."""
    named = {"administrators": spec.administrators, "break_glass": spec.break_glass}
    if spec.deployer is not None:
        named["deployer"] = (spec.deployer,)
    for field, members in named.items():
        for member in members:
            if not MEMBER.fullmatch(member):
                problem = f"{member!r} does not say what it is"
                remedy = "write it as IAM does, with its kind, such as group:platform@example.com"
                raise InvalidSpecError("ClusterSpec", field, problem, remedy)
