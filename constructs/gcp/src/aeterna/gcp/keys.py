"""The customer's keys on Google Cloud: rotated keys of Cloud KMS, each granted to one account at a time."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.keys import KeyOutputs
from aeterna.contracts.late import Late
from aeterna.gcp.l1.data_kms_crypto_key import DataGoogleKmsCryptoKey
from aeterna.gcp.l1.kms_crypto_key import GoogleKmsCryptoKey
from aeterna.gcp.l1.kms_crypto_key_iam_member import GoogleKmsCryptoKeyIamMember
from aeterna.gcp.l1.kms_key_ring import GoogleKmsKeyRing
from aeterna.gcp.suffixes import unused_suffix
from aeterna.gcp.waiting import settled
from aeterna.synth.lifecycle import Lifecycle
from aeterna.synth.protection import protected
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.contracts.keys import KeySpec
    from aeterna.gcp.place import GcpPlace
    from aeterna.synth._cdk import ITerraformDependable

KEY = re.compile(
    r"(?P<ring>projects/[^/]+/locations/(?P<location>[a-z0-9-]+)/keyRings/[A-Za-z0-9_-]{1,63})"
    r"/cryptoKeys/(?P<name>[A-Za-z0-9_-]{1,63})"
)
PERSON = re.compile(r"(?:user|group|serviceAccount|principal|principalSet):\S+")

USE = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
ADMINISTER = "roles/cloudkms.admin"

SECONDS_A_DAY = 86400


@names_itself
class GcpKey(Construct):
    """A key of Cloud KMS for one purpose, in the place's region, in a key ring of its own.

    Neither a ring nor the name of a key in it can ever be used again, so that the ring's name ends in a suffix. Nobody
    may use the key whom the project's own policy does not allow, except those that `grant` names.
    """

    def __init__(self, scope: Construct, id_: str, spec: KeySpec, *, place: GcpPlace) -> None:
        super().__init__(scope, id_)
        self.location = place.region
        suffix = unused_suffix(self, "Suffix")
        lifecycle = Lifecycle(prevent_destroy=protected(self, wanted=spec.protected))
        ring = GoogleKmsKeyRing(
            self,
            "Ring",
            name=f"{spec.environment}-{suffix}",
            location=place.region,
            depends_on=[place.service("cloudkms")],
            lifecycle=lifecycle,
        )
        key = GoogleKmsCryptoKey(
            self,
            "Resource",
            name=spec.purpose,
            key_ring=ring.id,
            purpose="ENCRYPT_DECRYPT",
            rotation_period=_days(spec.rotation.days),
            destroy_scheduled_duration=_days(spec.grace.days),
            labels={"purpose": spec.purpose},
            lifecycle=lifecycle,
        )
        for position, administrator in enumerate(spec.administrators):
            _administer(self, f"Administrator{position}", key=key, administrator=administrator)
        self.outputs = KeyOutputs(key_id=Late(key.id), alias=Late(f"{ring.name}/{key.name}"))

    @classmethod
    def existing(cls, scope: Construct, id_: str, *, key_id: str) -> GcpKey:
        """Take a key that the customer already has, by its full identifier ``projects/…/cryptoKeys/…``.

        It is looked up, so that a wrong one fails when it is planned. What `grant` adds is added to its policy.
        """
        return _ExistingKey(scope, id_, key_id)

    @property
    def id(self) -> Late:
        """Return the full identifier of the key, which names no version: new data is always under the newest."""
        return self.outputs.key_id

    def grant(
        self, scope: Construct, id_: str, member: str, *, after: Sequence[ITerraformDependable] = ()
    ) -> ITerraformDependable:
        """Let one account encrypt and decrypt with this key, and return what waits until it can.

        The grant is made below the scope, which may be in another stack: whoever needs the key brings its own grant.
        """
        return KeyGrant(scope, id_, key=self, member=member, after=after).ready

    def require_at(self, spec: str, location: str) -> None:
        """Refuse to encrypt something with the key that is not where the key is: no service of Google's would."""
        if self.location != location:
            problem = f"the key is in {self.location} and what it is to encrypt is in {location}"
            raise InvalidSpecError(spec, "key", problem, f"use a key in {location}")


class KeyGrant(Construct):
    """The right of one account to encrypt and decrypt with one key, and with no other key of the project.

    ``after`` is what has to be there before the account can be granted anything.
    """

    def __init__(
        self, scope: Construct, id_: str, *, key: GcpKey, member: str, after: Sequence[ITerraformDependable] = ()
    ) -> None:
        super().__init__(scope, id_)
        granted = GoogleKmsCryptoKeyIamMember(
            self, "Resource", crypto_key_id=key.id, role=USE, member=member, depends_on=after
        )
        self.ready = settled(self, "Known", after=[granted])


@names_itself
class _ExistingKey(GcpKey):
    """A key that is only looked up."""

    def __init__(self, scope: Construct, id_: str, key_id: str) -> None:
        Construct.__init__(self, scope, id_)
        found = KEY.fullmatch(key_id)
        if found is None:
            remedy = "write projects/<project>/locations/<region>/keyRings/<ring>/cryptoKeys/<key>, without a version"
            raise InvalidSpecError("GcpKey", "key_id", f"{key_id!r} is not a key of Cloud KMS", remedy)
        self.location = found["location"]
        key = DataGoogleKmsCryptoKey(self, "Resource", key_ring=found["ring"], name=found["name"])
        self.outputs = KeyOutputs(key_id=Late(key.id), alias=Late(key.name))


def _administer(scope: Construct, id_: str, *, key: GoogleKmsCryptoKey, administrator: str) -> None:
    if not PERSON.fullmatch(administrator):
        remedy = 'write one such as "group:security@example.com"'
        problem = f"{administrator!r} is not one principal of Google Cloud"
        raise InvalidSpecError("KeySpec", "administrators", problem, remedy)
    GoogleKmsCryptoKeyIamMember(scope, id_, crypto_key_id=key.id, role=ADMINISTER, member=administrator)


def _days(days: int) -> str:
    return f"{days * SECONDS_A_DAY}s"
