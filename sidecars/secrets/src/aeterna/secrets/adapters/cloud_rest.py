"""One question to a cloud's REST API with a bearer token, and what each refusal means."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import urlsplit

import httpx
import orjson

from aeterna.secrets.domain.secret import Fields
from aeterna.secrets.errors import (
    AccessDeniedError,
    ConfigurationInvalidError,
    SecretAbsentError,
    SourceAnswerError,
    SourceUnavailableError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.secrets.domain.secret import JsonValue, Reference

TIMEOUT: Final = httpx.Timeout(5, connect=3)
# 64 KiB are the most that a secret may have at AWS and Google, in base64 and JSON.
_MOST_BYTES: Final = 512 * 1024
_SECONDS: Final = re.compile(r"[0-9]{1,5}")
# A wait that is longer is a mistake of somebody's, and would outlast what it was to spare.
_LONGEST_WAIT: Final = 600.0


def ask(client: httpx.Client, url: str, token: str, reference: Reference) -> Mapping[str, object]:
    """Return the document at an address; raise what `SecretSource.fetch` raises, with nothing of what was answered."""
    try:
        with client.stream("GET", url, headers={"Authorization": f"Bearer {token}"}) as answer:
            _refuse(answer, reference)
            body = _bounded(answer)
    except httpx.HTTPError as exc:
        raise SourceUnavailableError(f"cannot be asked ({type(exc).__name__})") from None
    try:
        document: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise SourceAnswerError("is not JSON") from None
    if not isinstance(document, dict):
        raise SourceAnswerError("is no JSON object")
    return cast("dict[str, object]", document)


def fields_of(content: bytes, reference: Reference) -> Fields:
    """Return the fields of a secret: the members of a JSON object, or all of it as ``value``, in base64 if no text."""
    if reference.decode == "json":
        try:
            document: object = orjson.loads(content)
        except orjson.JSONDecodeError:
            document = None
        if not isinstance(document, dict):
            raise SourceAnswerError("holds a secret that is no JSON object; declare it with 'decode: text'")
        return Fields(cast("dict[str, JsonValue]", document))
    try:
        return Fields({"value": content.decode()})
    except UnicodeDecodeError:
        return Fields({"value": base64.b64encode(content).decode("ascii")})


def from_base64(value: object) -> bytes:
    """Return the bytes that an answer has in base64."""
    try:
        return base64.b64decode(text_of(value), validate=True)
    except binascii.Error:
        raise SourceAnswerError("has no base64 where the secret should be") from None


def text_of(value: object) -> str:
    """Return a text of an answer."""
    if not isinstance(value, str):
        raise SourceAnswerError("lacks a part of a secret")
    return value


def is_loopback(url: str) -> bool:
    """Say whether an address is of this machine alone, as those of emulators are."""
    try:
        return ipaddress.ip_address(urlsplit(url).hostname or "").is_loopback
    except ValueError:
        return False


def trusted_endpoint(where: str, url: str) -> str:
    """Return an address that a token may be sent to, without a slash at its end."""
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(url)):
        raise ConfigurationInvalidError(where, "must be https://, or http:// to the loopback")
    if not parts.hostname or parts.query or parts.fragment or "@" in parts.netloc:
        raise ConfigurationInvalidError(where, "must be the address of a service and nothing more")
    return url.rstrip("/")


def _refuse(answer: httpx.Response, reference: Reference) -> None:
    """Raise what the status says; a body may repeat what was sent, and is not looked at."""
    match answer.status_code:
        case HTTPStatus.OK:
            return
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            raise AccessDeniedError(f"reading {reference.path!r}")
        case HTTPStatus.NOT_FOUND | HTTPStatus.GONE | HTTPStatus.BAD_REQUEST if not _is_json(answer):
            # What a secret is withdrawn for has to be said by its manager, and not by a proxy in between.
            raise SourceUnavailableError(f"is out of reach behind a proxy that says {answer.status_code}")
        # Google says 400 of a version that is disabled or destroyed, or a name that can be no secret's.
        case HTTPStatus.NOT_FOUND | HTTPStatus.GONE | HTTPStatus.BAD_REQUEST:
            raise SecretAbsentError(reference.path)
        case HTTPStatus.TOO_MANY_REQUESTS:
            raise SourceUnavailableError("asks for fewer requests", retry_after=_retry_after(answer))
        case status if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise SourceUnavailableError(f"answers {status}", retry_after=_retry_after(answer))
        case status:
            raise SourceAnswerError(f"has status {status}")


def _is_json(answer: httpx.Response) -> bool:
    return answer.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"


def _retry_after(answer: httpx.Response) -> float | None:
    """Return the seconds that an answer names; a date is not read, since it is told by another's clock."""
    named = answer.headers.get("retry-after", "")
    return min(_LONGEST_WAIT, float(named)) if _SECONDS.fullmatch(named) else None


def _bounded(answer: httpx.Response) -> bytes:
    body = bytearray()
    for part in answer.iter_bytes():
        body += part
        if len(body) > _MOST_BYTES:
            raise SourceAnswerError(f"is larger than {_MOST_BYTES} bytes")
    return bytes(body)
