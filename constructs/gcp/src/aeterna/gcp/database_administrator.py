"""The administrator of a database: an account that nobody holds a key of, and that migrations act as."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.contracts.late import Late
from aeterna.contracts.naming import suffixed
from aeterna.gcp.grants import OneResource, Target
from aeterna.gcp.identity import LONGEST_ACCOUNT
from aeterna.gcp.l1.service_account import GoogleServiceAccount
from aeterna.gcp.l1.service_account_iam_member import GoogleServiceAccountIamMember
from aeterna.gcp.l1.sql_user import GoogleSqlUser
from aeterna.synth.expressions import Fn, Op
from aeterna.synth.lifecycle import Lifecycle, Precondition

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aeterna.gcp.place import GcpPlace
    from aeterna.synth._cdk import ITerraformDependable

LOG_IN: Mapping[str, str] = {"Client": "roles/cloudsql.client", "Login": "roles/cloudsql.instanceUser"}
ROLE_OF_ADMINISTRATORS = "cloudsqlsuperuser"
ACT_AS = "roles/iam.serviceAccountTokenCreator"
ACCOUNT_DOMAIN = ".gserviceaccount.com"
LONGEST_USER = 63


class DatabaseAdministrator(Construct):
    """A Google service account that logs in with a token and holds the role of Cloud SQL's administrators.

    The server's own user ``postgres`` never gets a password, so that nobody can log in as it.
    """

    def __init__(self, scope: Construct, id_: str, *, name: str, server: str, target: Target, place: GcpPlace) -> None:
        super().__init__(scope, id_)
        self._account = GoogleServiceAccount(
            self,
            "Account",
            account_id=suffixed("DatabaseSpec", "name", name, "admin", longest=LONGEST_ACCOUNT),
            display_name=f"Administrator of {name}",
            depends_on=[place.service("iam"), place.service("iamcredentials")],
        )
        logged_in = Login(
            self,
            "Resource",
            email=Late(self._account.email),
            server=server,
            target=target,
            place=place,
            roles=(ROLE_OF_ADMINISTRATORS,),
        )
        self.login = logged_in.user

    def grant(self, scope: Construct, id_: str, member: str) -> ITerraformDependable:
        """Let a member act as the administrator for an hour at a time: a migration's identity, never a service's."""
        return GoogleServiceAccountIamMember(
            scope, id_, service_account_id=self._account.name, role=ACT_AS, member=member
        )


class Login(Construct):
    """A user of one server that is an account of Google's, and the account's right to log in there and nowhere else."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        email: Late,
        server: str,
        target: Target,
        place: GcpPlace,
        roles: Sequence[str] = (),
    ) -> None:
        super().__init__(scope, id_)
        granted = OneResource(self, "Roles", place=place, roles=LOG_IN, member=f"serviceAccount:{email}", target=target)
        user = GoogleSqlUser(
            self,
            "Resource",
            instance=server,
            name=user_of(email),
            type="CLOUD_IAM_SERVICE_ACCOUNT",
            database_roles=roles or None,
            # PostgreSQL refuses to drop a user that owns anything; without its account nobody can log in as it.
            deletion_policy="ABANDON",
            lifecycle=Lifecycle(precondition=[_fits(email)]),
        )
        self.user = Late(user.name)
        self.ready: tuple[ITerraformDependable, ...] = (*granted.members, user)


def _fits(email: Late) -> Precondition:
    """Refuse a name that PostgreSQL would cut off; how long the project's id is, is known only to Google."""
    return Precondition(
        condition=Op.lte(Fn.length_of(user_of(email)), LONGEST_USER),
        error_message=f"A user of PostgreSQL has at most {LONGEST_USER} characters: shorten the account's name.",
    )


def user_of(email: Late) -> Late:
    """Return the name that an account has in PostgreSQL."""
    return Late(Fn.trimsuffix(email, ACCOUNT_DOMAIN))
