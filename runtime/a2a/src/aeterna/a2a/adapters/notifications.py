"""For receivers of push notifications: says whether one comes from the thread store, whole, fresh and meant for us."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, cast

import jwt

from aeterna.a2a.errors import NotificationInvalidError
from aeterna.contracts.json_value import JsonValue
from aeterna.service.adapters.jwks import KeySet, source
from aeterna.service.clock import system_clock

if TYPE_CHECKING:
    from aeterna.service.clock import Clock

SIGNATURE_HEADER: Final = "Aeterna-Signature"
TOKEN_HEADER: Final = "X-A2A-Notification-Token"  # noqa: S105 - the name of a header
_TYPE: Final = "a2a-notification+jwt"
_ALGORITHMS: Final = ("EdDSA", "ES256")
_REQUIRED: Final = ("iss", "aud", "iat", "exp", "jti", "taskId", "configId", "seq", "request_body_sha256")
_LEEWAY: Final = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedNotification:
    """What a receiver may believe.

    The same ``notification_id`` again is the same notification again: drop it. Those of one task and configuration come
    in the order of ``seq``. ``response`` is an A2A ``StreamResponse`` in ProtoJSON.
    """

    notification_id: str
    task_id: str
    config_id: str
    seq: int
    response: Mapping[str, JsonValue]


class NotificationVerifier:
    """Verifies notifications for one address of ours; safe to call from several threads. May block to fetch keys."""

    def __init__(
        self,
        jwks: str,
        *,
        issuer: str,
        url: str,
        token: str | None = None,
        leeway: timedelta = _LEEWAY,
        clock: Clock = system_clock,
    ) -> None:
        """Take where the store publishes its keys (an address or a file), its name, and our address as registered.

        ``token`` is the one that was registered with the address, if there was one.
        """
        self._keys = KeySet(source(jwks))
        self._issuer = issuer
        self._url = url
        self._token = token
        self._leeway = leeway.total_seconds()
        self._clock = clock

    def verify(self, headers: Mapping[str, str], body: bytes) -> VerifiedNotification:
        """Return the notification, or raise `NotificationInvalidError`; `KeysUnavailableError` when nobody can say.

        Nothing in the body is read before its signature has been checked.
        """
        found = {name.lower(): value for name, value in headers.items()}
        claims = self._claims(found.get(SIGNATURE_HEADER.lower(), ""))
        if claims["request_body_sha256"] != hashlib.sha256(body).hexdigest():
            raise NotificationInvalidError("its body is not the one that was signed")
        token = found.get(TOKEN_HEADER.lower(), "")
        if self._token is not None and not hmac.compare_digest(token.encode(), self._token.encode()):
            raise NotificationInvalidError("its token is not ours")
        try:
            response: object = json.loads(body)
        except (ValueError, RecursionError):
            response = None
        if not isinstance(response, dict):
            raise NotificationInvalidError("its body is not a StreamResponse")
        return VerifiedNotification(
            notification_id=str(claims["jti"]),
            task_id=str(claims["taskId"]),
            config_id=str(claims["configId"]),
            seq=int(claims["seq"]),
            response=cast("dict[str, JsonValue]", response),
        )

    def _claims(self, signature: str) -> Mapping[str, Any]:
        """Return the signed claims, which PyJWT types as anything; raise when one of them is not as it must be."""
        try:
            header = jwt.get_unverified_header(signature)
            key = self._keys.key(cast("str | None", header.get("kid")))
            if key is None or header.get("typ") != _TYPE:
                raise NotificationInvalidError("nobody whom we know signed it")
            claims: Mapping[str, Any] = jwt.decode(
                signature,
                key,
                algorithms=list(_ALGORITHMS),
                audience=self._url,
                issuer=self._issuer,
                # The times are looked at below, by the clock that was given.
                options={"require": list(_REQUIRED), "verify_exp": False, "verify_iat": False},
            )
        except jwt.PyJWTError as exc:
            raise NotificationInvalidError(f"its signature does not hold ({type(exc).__name__})") from None
        now = self._clock()
        if not claims["iat"] - self._leeway <= now <= claims["exp"] + self._leeway:
            raise NotificationInvalidError("it was signed at another time")
        return claims
