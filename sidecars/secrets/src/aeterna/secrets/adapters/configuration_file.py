"""Reads the configuration of a pod's secrets: one YAML document, and the templates that lie beside it."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from aeterna.contracts.injection import names
from aeterna.secrets.domain import configuration as domain
from aeterna.secrets.domain.rendition import SECRET, read_files
from aeterna.secrets.domain.secret import Reference
from aeterna.secrets.errors import ConfigurationInvalidError

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME: Final = "secrets.yaml"

_LARGEST: Final = 1024 * 1024
# Beyond it lie years that no calendar has.
_LONGEST_KEPT: Final = timedelta(days=36_500)
# Of one segment or more, none of which leads upward; what Vault allows beyond it would have to be quoted in an address.
_PATH: Final = re.compile(r"[A-Za-z0-9_.@+=-]+(/[A-Za-z0-9_.@+=-]+)*")
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


def _path(value: str) -> str:
    if _PATH.fullmatch(value) is None or any(part in {".", ".."} for part in value.split("/")):
        raise ValueError("is no path such as database/creds/app")
    return value


def _address(value: str) -> str:
    try:
        found = urlsplit(value)
        whole = found.port != 0 and bool(found.hostname) and not found.path.strip("/") and not found.username
    except ValueError:
        # It would repeat what stands where the port should be.
        raise ValueError("is no address such as https://vault.example:8200") from None
    if found.scheme not in {"http", "https"} or not whole:
        raise ValueError("is no address such as https://vault.example:8200")
    if found.scheme == "http" and found.hostname not in _LOOPBACK:
        raise ValueError("must begin with https://, since whoever listens on the way would have every secret")
    return value.rstrip("/")


_PathText = Annotated[str, AfterValidator(_path)]
_Address = Annotated[str, AfterValidator(_address)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _TokenLogin(_Part):
    method: Literal["kubernetes", "jwt"]
    role: str = Field(min_length=1)
    mount: _PathText | None = None
    token_file: Path = Path(names.TOKEN_FILE)

    def read(self) -> domain.VaultLogin:
        kind = domain.KubernetesLogin if self.method == "kubernetes" else domain.JwtLogin
        return kind(role=self.role, token_file=self.token_file, mount=self.mount or self.method)


class _AwsLogin(_Part):
    method: Literal["aws"]
    role: str = Field(min_length=1)
    mount: _PathText = "aws"
    region: str = Field(default="us-east-1", pattern=r"^[a-z0-9-]+$")
    server_id: str | None = None

    def read(self) -> domain.VaultLogin:
        return domain.AwsLogin(role=self.role, region=self.region, server_id=self.server_id, mount=self.mount)


class _WrappedLogin(_Part):
    method: Literal["wrapped"]
    token_file: Path
    creation_path: _PathText = "auth/token/create"

    def read(self) -> domain.VaultLogin:
        return domain.WrappedLogin(token_file=self.token_file, creation_path=self.creation_path)


class _Vault(_Part):
    kind: Literal["vault"]
    address: _Address
    namespace: _PathText | None = None
    ca_file: Path | None = None
    login: Annotated[_TokenLogin | _AwsLogin | _WrappedLogin, Field(discriminator="method")]

    def read(self) -> domain.Source:
        return domain.VaultSource(
            address=self.address, namespace=self.namespace, ca_file=self.ca_file, login=self.login.read()
        )


class _Aws(_Part):
    kind: Literal["aws"]
    region: str = Field(pattern=r"^[a-z0-9-]+$")
    endpoint: _Address | None = None

    def read(self) -> domain.Source:
        return domain.AwsSource(region=self.region, endpoint=self.endpoint)


class _Gcp(_Part):
    kind: Literal["gcp"]
    project: str = Field(min_length=1)
    endpoint: _Address | None = None

    def read(self) -> domain.Source:
        return domain.GcpSource(project=self.project, endpoint=self.endpoint)


class _Azure(_Part):
    kind: Literal["azure"]
    vault_url: _Address

    def read(self) -> domain.Source:
        return domain.AzureSource(vault_url=self.vault_url)


_Source = Annotated[_Vault | _Aws | _Gcp | _Azure, Field(discriminator="kind")]


class _Secret(_Part):
    """``dynamic``, ``kv`` and ``path`` are of a Vault, ``name`` is of a cloud."""

    source: str
    dynamic: _PathText | None = None
    kv: _PathText | None = None
    path: _PathText | None = None
    name: str | None = Field(default=None, min_length=1, max_length=2048)
    mount: _PathText = "secret"
    version: str | None = Field(default=None, min_length=1, max_length=128)
    decode: Literal["json", "text"] = "json"
    interval: timedelta = Field(default=timedelta(minutes=1), ge=timedelta(seconds=1))
    grace: timedelta = Field(default=timedelta(minutes=1), ge=timedelta(0))
    keep: timedelta | None = Field(default=None, gt=timedelta(0), le=_LONGEST_KEPT)

    def read(self, where: str, *, vault: bool) -> domain.Declaration:
        allowed = ("dynamic", "kv", "path") if vault else ("name",)
        given = self.model_fields_set & {"dynamic", "kv", "path", "name"}
        if len(given) != 1 or not given <= set(allowed):
            raise ConfigurationInvalidError(where, f"must have exactly one of {', '.join(allowed)}")
        if self.version is not None and (self.dynamic is not None or self.path is not None):
            raise ConfigurationInvalidError(where, "cannot have a version: it is made anew, or has none")
        reference = Reference(
            path=self.dynamic or self.kv or self.path or self.name or "",
            engine="dynamic" if self.dynamic is not None else "kv" if self.kv is not None else "value",
            mount=self.mount if self.kv is not None else "",
            version=self.version,
            decode=self.decode,
        )
        return domain.Declaration(
            source=self.source, reference=reference, interval=self.interval, grace=self.grace, keep=self.keep
        )


class _Document(_Part):
    sources: dict[str, _Source] = Field(min_length=1)
    secrets: dict[str, _Secret] = Field(min_length=1)
    files: list[dict[str, object]] = Field(default_factory=list[dict[str, object]])


def read_configuration(folder: Path) -> domain.Configuration:
    """Return what the folder's document says; raise `ConfigurationInvalidError`, which repeats no value of it."""
    document = _parsed(_text(folder / NAME))
    sources = {name: source.read() for name, source in document.sources.items()}
    return domain.Configuration(
        sources=sources,
        secrets={name: _declaration(name, found, sources) for name, found in document.secrets.items()},
        files=read_files("files", [_with_template(folder, entry) for entry in document.files]),
    )


def _declaration(name: str, found: _Secret, sources: Mapping[str, domain.Source]) -> domain.Declaration:
    where = f"secrets.{name}"
    if SECRET.fullmatch(name) is None:
        raise ConfigurationInvalidError(where, "is no name: it begins with a-z and goes on with a-z, 0-9 and _")
    if found.source not in sources:
        raise ConfigurationInvalidError(f"{where}.source", f"there is no source {found.source!r}")
    return found.read(where, vault=isinstance(sources[found.source], domain.VaultSource))


def _parsed(text: str) -> _Document:
    try:
        parsed: object = yaml.safe_load(text)
    except yaml.YAMLError as exc:
        mark = exc.problem_mark if isinstance(exc, yaml.MarkedYAMLError) else None
        raise ConfigurationInvalidError(
            NAME, "is not YAML" if mark is None else f"is not YAML at line {mark.line + 1}"
        ) from None
    except (ValueError, RecursionError):
        raise ConfigurationInvalidError(
            NAME, "has a date or a number that there is not, or is nested too deep"
        ) from None
    try:
        return TypeAdapter(_Document).validate_python(parsed)
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or NAME
        raise ConfigurationInvalidError(where, first["msg"]) from None


def _with_template(folder: Path, entry: dict[str, object]) -> dict[str, object]:
    """Put the template that lies beside the document into its place."""
    name = entry.get("template_file")
    if name is None:
        return entry
    if not isinstance(name, str) or Path(name).name != name or name.startswith("."):
        raise ConfigurationInvalidError("files.template_file", "is no name of a file beside the document")
    rest = {key: value for key, value in entry.items() if key != "template_file"}
    if "template" in rest:
        raise ConfigurationInvalidError("files", "has a template and a template_file")
    return rest | {"template": _text(folder / name)}


def _text(file: Path) -> str:
    try:
        data = file.read_bytes()
        if len(data) > _LARGEST:
            raise ConfigurationInvalidError(file.name, f"is larger than {_LARGEST} bytes")
        return data.decode()
    except OSError as exc:
        raise ConfigurationInvalidError(str(file), exc.strerror or "cannot be read") from None
    except UnicodeError:
        raise ConfigurationInvalidError(str(file), "is not UTF-8") from None
