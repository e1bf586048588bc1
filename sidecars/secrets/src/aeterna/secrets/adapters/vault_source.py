"""Secrets of a Vault or an OpenBao by one login: KV version 2, leases, and whatever else can be read."""

from __future__ import annotations

import hashlib
import hmac
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Final, cast

from aeterna.secrets.domain.secret import Fields, Grant, Lease, Secret
from aeterna.secrets.errors import (
    AccessDeniedError,
    BadRequestError,
    LeaseLostError,
    SecretAbsentError,
    SourceAnswerError,
    SourceError,
)

if TYPE_CHECKING:
    from aeterna.secrets.adapters.vault_client import Answer, VaultClient
    from aeterna.secrets.domain.secret import JsonValue, Reference

_BATCH: Final = "batch"
# What the database and the directory engines say of a static role, whose ``ttl`` is the time until its rotation.
_ROTATED: Final = "last_vault_rotation"


class VaultSecretSource:
    """What can be had by one token. ``outstanding`` are the leases that were had and not given back."""

    def __init__(self, client: VaultClient) -> None:
        self._client = client
        self.outstanding: dict[str, None] = {}

    def fetch(self, reference: Reference) -> Secret:
        """See `SecretSource.fetch`."""
        if reference.engine == "kv":
            return self._versioned(reference)
        answer = self._client.exchange("get", reference.path)
        fields = Fields(_object(answer, "data"))
        lease = self._lease(answer)
        if lease is not None:
            return Secret(fields=fields, version=self._digest(lease.id), lease=lease)
        if reference.engine == "dynamic" and not fields:
            raise SourceAnswerError("has neither a lease nor a value")
        return self._static(dict(fields))

    def _static(self, values: dict[str, JsonValue]) -> Secret:
        """Return a value without a lease; of a static role without what counts down to its rotation at each look."""
        rotates_in = values.pop("ttl", None) if _ROTATED in values else None
        return Secret(
            fields=Fields(values),
            version=self._digest(json.dumps(values, sort_keys=True)),
            rotates_in=rotates_in if isinstance(rotates_in, int | float) else None,
        )

    def renew(self, lease: Lease, *, ttl: float) -> Grant:
        """See `SecretSource.renew`."""
        try:
            body = {"lease_id": lease.id, "increment": round(ttl)}
            answer = self._client.exchange("put", "sys/leases/renew", body)
        except (BadRequestError, SecretAbsentError):
            # It stays outstanding: Vault says the same when only the database is out of its reach.
            raise LeaseLostError from None
        return Grant(ttl=_seconds(answer, "lease_duration"), renewable=answer.get("renewable") is True)

    def revoke(self, lease: Lease) -> None:
        """See `SecretSource.revoke`."""
        # What is gone already is as was wanted.
        with suppress(BadRequestError, SecretAbsentError):
            self._client.exchange("put", "sys/leases/revoke", {"lease_id": lease.id})
        self.outstanding.pop(lease.id, None)

    def _versioned(self, reference: Reference) -> Secret:
        query = {} if reference.version is None else {"version": reference.version}
        data = _object(self._client.exchange("get", f"{reference.mount}/data/{reference.path}", query=query), "data")
        metadata = _object(data, "metadata")
        # A time of deletion alone says nothing: with delete_version_after it is in the future.
        if data.get("data") is None:
            raise SecretAbsentError(reference.path)
        version = metadata.get("version")
        if not isinstance(version, int) or isinstance(version, bool):
            raise SourceAnswerError("has no version")
        # A secret that is deleted and written anew begins again at version 1.
        return Secret(fields=Fields(_object(data, "data")), version=f"{version}@{metadata.get('created_time', '')}")

    def _digest(self, text: str) -> str:
        """Return what is the same for the same text; versions are shown, and nobody may guess from one."""
        return hmac.new(self._client.key, text.encode(), hashlib.sha256).hexdigest()[:16]

    def _lease(self, answer: Answer) -> Lease | None:
        id_ = answer.get("lease_id")
        if not isinstance(id_, str) or not id_:
            return None
        self.outstanding[id_] = None
        ttl = _seconds(answer, "lease_duration")
        if ttl <= 0:
            raise SourceAnswerError("is a lease of no length")
        return Lease(id=id_, grant=Grant(ttl=ttl, renewable=answer.get("renewable") is True))


class VaultSession:
    """A login: its token, and the source of what can be had by it."""

    def __init__(self, client: VaultClient, answer: Answer) -> None:
        """Take the answer to a login and whoever asked for it; raise `SourceAnswerError` when it is none."""
        auth = _object(answer, "auth")
        token = auth.get("client_token")
        if not isinstance(token, str) or not token:
            raise SourceAnswerError("to the login has no token")
        self._client = client.holding(token)
        self._batch = auth.get("token_type") == _BATCH
        ttl = _seconds(auth, "lease_duration")
        # A token of no length is one that does not end, as root's; Vault gives such out to nobody who logs in.
        self.grant = Grant(ttl=ttl, renewable=auth.get("renewable") is True and not self._batch) if ttl else None
        self._source = VaultSecretSource(self._client)
        self.source = self._source
        # A policy may keep a token from looking itself up; then a refusal later on says nothing of the login.
        try:
            self._knows_itself = self._looked_up()
        except SourceError:
            self._knows_itself = True

    def renew(self, *, ttl: float) -> Grant:
        """See `Session.renew`."""
        try:
            answer = self._client.exchange("post", "auth/token/renew-self", {"increment": f"{round(ttl)}s"})
        except BadRequestError:
            raise AccessDeniedError("the renewal of the login") from None
        auth = _object(answer, "auth")
        return Grant(ttl=_seconds(auth, "lease_duration"), renewable=auth.get("renewable") is True)

    def alive(self) -> bool:
        """See `Session.alive`."""
        known = self._looked_up()
        # A node that was behind at the login, and did not know the token yet, is no policy that forbids the look.
        self._knows_itself |= known
        return known or not self._knows_itself

    def _looked_up(self) -> bool:
        try:
            self._client.exchange("get", "auth/token/lookup-self")
        except (AccessDeniedError, BadRequestError):
            return False
        return True

    def revoke(self) -> None:
        """See `Session.revoke`; a batch token cannot be revoked, so its leases are, one by one."""
        try:
            if self._batch:
                for id_ in tuple(self._source.outstanding):
                    self._source.revoke(Lease(id=id_, grant=Grant(ttl=0, renewable=False)))
            else:
                self._client.exchange("post", "auth/token/revoke-self")
        finally:
            self._client.close()


def _object(document: Answer, name: str) -> dict[str, JsonValue]:
    found = document.get(name)
    if not isinstance(found, dict):
        raise SourceAnswerError(f"has no {name!r}")
    return cast("dict[str, JsonValue]", found)


def _seconds(document: Answer, name: str) -> float:
    found = document.get(name)
    if not isinstance(found, int | float) or isinstance(found, bool) or found < 0:
        raise SourceAnswerError(f"has no {name!r}")
    return float(found)
