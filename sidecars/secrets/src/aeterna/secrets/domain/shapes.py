"""The plain shapes of files: a secret as JSON, as an environment file, as libpq's files, or one field as it is."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from aeterna.secrets.errors import RenderError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aeterna.secrets.domain.rendition import FileSpec, Shape
    from aeterna.secrets.domain.secret import JsonValue, Secret

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# libpq's names and those that Vault's databases and the clouds' templates give the same thing.
_LOGIN: Final = {
    "host": ("host",),
    "port": ("port",),
    "dbname": ("dbname", "database"),
    "user": ("user", "username"),
    "password": ("password",),
}
_ANY: Final = "*"
_SERVICE: Final = "aeterna"


def shaped(spec: FileSpec, secret: Secret) -> bytes:
    """Return the content of a file of a plain shape; raise `RenderError`, which names fields and shows no value."""
    fields: dict[str, JsonValue] = {**secret.fields, **spec.beside}
    try:
        return _SHAPED[spec.shape](spec, fields).encode()
    except UnicodeEncodeError:
        raise RenderError(spec.file, "a field of the secret holds half a character, which no file can") from None


def as_text(value: JsonValue) -> str:
    """Return a value as a person would write it: text as it is, nothing as nothing, and everything else as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def _json(spec: FileSpec, fields: Mapping[str, JsonValue]) -> str:
    del spec
    return json.dumps(fields, indent=2, sort_keys=True) + "\n"


def _env(spec: FileSpec, fields: Mapping[str, JsonValue]) -> str:
    """Quote for a POSIX shell, which is what files of this kind are for at first; dotenv libraries read it alike."""
    lines: list[str] = []
    for name, value in sorted(fields.items()):
        if not _VARIABLE.fullmatch(name):
            raise RenderError(spec.file, "a field of the secret has a name that cannot be a variable's")
        text = as_text(value)
        if "\0" in text:
            raise RenderError(spec.file, f"field {name!r} holds a NUL, which no variable can")
        quoted = text.replace("'", "'\"'\"'")
        lines.append(f"{name}='{quoted}'\n")
    return "".join(lines)


def _pgpass(spec: FileSpec, fields: Mapping[str, JsonValue]) -> str:
    """https://www.postgresql.org/docs/current/libpq-pgpass.html: what is not said is a wildcard, but a password."""
    login = _login(spec, fields)
    escaped = [login.get(name, _ANY) for name in _LOGIN]
    if "password" not in login:
        raise RenderError(spec.file, "the secret has no field 'password'")
    plain = [text if text == _ANY else text.replace("\\", "\\\\").replace(":", "\\:") for text in escaped]
    return ":".join(plain) + "\n"


def _pgservice(spec: FileSpec, fields: Mapping[str, JsonValue]) -> str:
    """https://www.postgresql.org/docs/current/libpq-pgservice.html: nothing is quoted, spaces at the ends are cut."""
    login = _login(spec, fields)
    for name, text in login.items():
        if text != text.strip():
            raise RenderError(spec.file, f"{name!r} begins or ends with a space, which a service file cannot say")
    return f"[{_SERVICE}]\n" + "".join(f"{name}={text}\n" for name, text in login.items())


def _login(spec: FileSpec, fields: Mapping[str, JsonValue]) -> dict[str, str]:
    login: dict[str, str] = {}
    for name, aliases in _LOGIN.items():
        given = next((fields[alias] for alias in aliases if fields.get(alias) is not None), None)
        if given is None:
            continue
        text = as_text(given)
        if not text or any(bad in text for bad in "\r\n\0"):
            raise RenderError(spec.file, f"{name!r} is empty or of several lines, which libpq's files cannot say")
        login[name] = text
    return login


def _value(spec: FileSpec, fields: Mapping[str, JsonValue]) -> str:
    if spec.member not in fields:
        raise RenderError(spec.file, f"the secret has no field {spec.member!r}")
    return as_text(fields[spec.member])


_SHAPED: Final[Mapping[Shape, Callable[[FileSpec, Mapping[str, JsonValue]], str]]] = {
    "json": _json,
    "env": _env,
    "pgpass": _pgpass,
    "pgservice": _pgservice,
    "value": _value,
}
