"""What files are made of secrets, what they look like, and who is told when one has changed."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final, Literal, TypeAlias, cast
from urllib.parse import urlsplit

from aeterna.secrets.errors import ConfigurationInvalidError

Shape: TypeAlias = Literal["template", "json", "env", "pgpass", "pgservice", "value"]
SignalName: TypeAlias = Literal["HUP", "USR1", "USR2", "TERM"]

SECRET: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")
"""The name of a secret: it is a variable of templates."""

# A leading dot is ours: it marks what an application should not read by itself.
_PART: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_MOST_PARTS: Final = 4
_MODE: Final = re.compile(r"0?[0-7]{3}")
# What a file of a secret may be at most: nobody executes it, and nobody but its owner writes it.
_MOST_MODE: Final = 0o644
_OWNER_READS: Final = 0o400
_DEFAULT_MODE: Final = 0o440
# libpq ignores a password file that anybody but its owner may read.
_PGPASS_MODE: Final = 0o600
_SHAPES: Final[tuple[Shape, ...]] = ("template", "json", "env", "pgpass", "pgservice", "value")
_SIGNALS: Final[tuple[SignalName, ...]] = ("HUP", "USR1", "USR2", "TERM")
_MOST_TEXT: Final = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSignal:
    """A signal to the process of the pod whose number stands in a file; needs a shared process namespace."""

    signal: SignalName
    pid_file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopbackCall:
    """A POST to an address of the pod's own loopback."""

    url: str


Notice: TypeAlias = ProcessSignal | LoopbackCall


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSpec:
    """One file of the volume.

    - ``file`` is relative to it. ``secret`` is what every shape but a template is made of, ``member`` the one field of
      the shape ``value``; ``template`` is Jinja2 over all secrets by name.
    - ``beside`` are literal fields beside the secret's, such as the host of a database.
    - ``mode`` are its permissions. Default: the group reads it (0440), but a ``pgpass``, which libpq ignores when
      anybody but its owner may read it (0600).
    - ``group`` is a group that the sidecar is in. Default: that of the volume, which all of the pod's processes are in:
      the pod's ``fsGroup``, or the sidecar's own group, which the injection adds to the pod's.
    """

    file: str
    shape: Shape
    secret: str = ""
    member: str = "value"
    template: str = field(default="", repr=False)
    beside: Mapping[str, str] = field(default_factory=dict[str, str])
    mode: int = _DEFAULT_MODE
    group: int | None = None
    on_change: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedFile:
    """A file as it is to be written; it does not show what is in it."""

    content: bytes = field(repr=False)
    mode: int = _DEFAULT_MODE
    group: int | None = None


def read_files(where: str, value: object) -> tuple[FileSpec, ...]:
    """Read the ``files`` of a parsed configuration, whole or not at all. Raises `ConfigurationInvalidError`."""
    specs = tuple(_file(f"{where}[{index}]", entry) for index, entry in enumerate(_list(where, value)))
    seen: set[PurePosixPath] = set()
    folders: set[PurePosixPath] = set()
    for index, spec in enumerate(specs):
        path = PurePosixPath(spec.file)
        above = set(path.parents)
        if path in seen or path in folders or above & seen:
            raise ConfigurationInvalidError(f"{where}[{index}].file", f"{spec.file!r} is the place of another file")
        seen.add(path)
        folders |= above
    return specs


def _file(where: str, value: object) -> FileSpec:
    known = {"file", "with", "mode", "group", "on_change", *_SHAPES}
    entry = _object(where, value, known)
    shapes: list[Shape] = [shape for shape in _SHAPES if shape in entry]
    if len(shapes) != 1:
        raise ConfigurationInvalidError(where, f"must have exactly one of {', '.join(_SHAPES)}")
    shape = shapes[0]
    text = _text(f"{where}.{shape}", entry[shape])
    secret, one_field = ("", "value") if shape == "template" else _origin(f"{where}.{shape}", text, shape)
    return FileSpec(
        file=_path(f"{where}.file", entry.get("file")),
        shape=shape,
        secret=secret,
        member=one_field,
        template=text if shape == "template" else "",
        beside=_beside(f"{where}.with", entry.get("with", {}), shape),
        mode=_mode(f"{where}.mode", entry.get("mode"), shape),
        group=_group(f"{where}.group", entry.get("group")),
        on_change=tuple(
            _notice(f"{where}.on_change[{index}]", each)
            for index, each in enumerate(_list(f"{where}.on_change", entry.get("on_change", [])))
        ),
    )


def _origin(where: str, text: str, shape: Shape) -> tuple[str, str]:
    """Return the secret, and the field of it that the shape ``value`` may name behind a dot."""
    name, dot, one_field = text.partition(".")
    if not SECRET.fullmatch(name) or (dot and (shape != "value" or not one_field)):
        allowed = "'<secret>' or '<secret>.<field>'" if shape == "value" else "the name of a secret"
        raise ConfigurationInvalidError(where, f"must be {allowed}")
    return name, one_field or "value"


def _path(where: str, value: object) -> str:
    parts = _text(where, value).split("/")
    if len(parts) > _MOST_PARTS or not all(_PART.fullmatch(part) for part in parts):
        reason = f"must be up to {_MOST_PARTS} names of letters, digits, '_', '-' and '.' that do not begin with a dot"
        raise ConfigurationInvalidError(where, reason)
    return "/".join(parts)


def _beside(where: str, value: object, shape: Shape) -> Mapping[str, str]:
    entries = _object(where, value, None)
    if entries and shape in {"template", "value"}:
        raise ConfigurationInvalidError(where, f"means nothing for a {shape}")
    return {name: _text(f"{where}.{name}", each) for name, each in entries.items()}


def _mode(where: str, value: object, shape: Shape) -> int:
    if value is None:
        return _PGPASS_MODE if shape == "pgpass" else _DEFAULT_MODE
    # As text alone: YAML reads 0440 as 288 or as 440, by its version.
    if not isinstance(value, str) or not _MODE.fullmatch(value):
        raise ConfigurationInvalidError(where, "must be text of three octal digits, such as '0440'")
    mode = int(value, 8)
    if mode & ~_MOST_MODE or not mode & _OWNER_READS:
        raise ConfigurationInvalidError(where, "may at most be 0644, and its owner must be able to read it")
    return mode


def _group(where: str, value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**32 - 1:
        raise ConfigurationInvalidError(where, "must be the number of a group, and not root's")
    return value


def _notice(where: str, value: object) -> Notice:
    entry = _object(where, value, {"signal", "pid_file", "url"})
    match entry:
        case {"signal": name, "pid_file": file, **rest} if not rest:
            if name not in _SIGNALS:
                raise ConfigurationInvalidError(f"{where}.signal", f"must be one of {', '.join(_SIGNALS)}")
            path = _text(f"{where}.pid_file", file)
            if not path.startswith("/"):
                raise ConfigurationInvalidError(f"{where}.pid_file", "must be an absolute path")
            return ProcessSignal(signal=name, pid_file=path)
        case {"url": url, **rest} if not rest:
            return LoopbackCall(url=_loopback(f"{where}.url", _text(f"{where}.url", url)))
        case _:
            raise ConfigurationInvalidError(where, "must have 'signal' and 'pid_file', or 'url'")


def _loopback(where: str, url: str) -> str:
    """Return an address that cannot lead out of the pod: no name is resolved, and no user is named."""
    reason = "must be http:// with an address of the loopback: 127.0.0.1 or [::1], and a port"
    try:
        parts = urlsplit(url)
        local = ipaddress.ip_address(parts.hostname or "").is_loopback and parts.port is not None
    except ValueError:
        raise ConfigurationInvalidError(where, reason) from None
    if parts.scheme != "http" or not local or "@" in parts.netloc or not url.isascii() or not url.isprintable():
        raise ConfigurationInvalidError(where, reason)
    return url


def _text(where: str, value: object) -> str:
    if not isinstance(value, str) or not value or len(value) > _MOST_TEXT or "\0" in value:
        raise ConfigurationInvalidError(where, f"must be text of 1 to {_MOST_TEXT} characters")
    return value


def _list(where: str, value: object) -> Sequence[object]:
    if not isinstance(value, list):
        raise ConfigurationInvalidError(where, "must be a list")
    return cast("list[object]", value)


def _object(where: str, value: object, known: set[str] | None) -> Mapping[str, object]:
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in cast("dict[object, object]", value)):
        raise ConfigurationInvalidError(where, "must be an object")
    entries = cast("dict[str, object]", value)
    unknown = sorted(entries.keys() - known) if known is not None else []
    if unknown:
        raise ConfigurationInvalidError(f"{where}.{unknown[0]}", "is not known here")
    return entries
