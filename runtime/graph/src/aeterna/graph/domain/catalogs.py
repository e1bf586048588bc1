"""Where graphs are kept, parsed from addresses: the catalog that knows the tables, and the warehouse with their files.

An address names places, logins and files with tokens. It never holds a secret: one that does is refused, because
whoever sees the address of a process (its environment, a crash report) would have the key for as long as it is valid.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit

from aeterna.contracts.hosts import is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from urllib.parse import SplitResult

NAMESPACE: Final = "aeterna"  # of the tables, unless an address names another
_NAMESPACE: Final = re.compile(r"[a-z](?:[a-z0-9_]{0,61}[a-z0-9])?")  # as the foundation's
_MAX_PORT: Final = 65535
_POSTGRES_PORT: Final = 5432


@dataclass(frozen=True, slots=True, kw_only=True)
class NoLogin:
    """Whoever reaches the catalog may use it: a socket of this machine, or a neighbour that adds the login itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLogin:
    """A short-lived token in a file that somebody renews, as Kubernetes does; read anew whenever it is used."""

    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeLogin:
    """An OAuth server gives an access token for the workload's own token (RFC 8693); the file is read each time."""

    path: Path
    token_uri: str
    scope: str = "catalog"


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsLogin:
    """The identity of the pod on AWS (IRSA or EKS Pod Identity), which signs requests and logs in to RDS."""

    region: str
    service: str = "glue"  # the name that requests to a REST catalog are signed for


@dataclass(frozen=True, slots=True, kw_only=True)
class GoogleLogin:
    """The identity of the pod on Google Cloud, from the metadata server; ``project`` is billed and counted."""

    project: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureLogin:
    """The identity of the pod on Azure, by the federated token that AKS mounts; ``scope`` is what it is used for."""

    scope: str


Login: TypeAlias = NoLogin | FileLogin | ExchangeLogin | AwsLogin | GoogleLogin | AzureLogin


@dataclass(frozen=True, slots=True, kw_only=True)
class SqliteCatalog:
    """A SQLite database on a disk of this machine: one machine, any number of processes."""

    path: Path
    namespace: str = NAMESPACE


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresCatalog:
    """A PostgreSQL database; the login's token is the password. ``host`` may be the folder of a socket."""

    host: str
    port: int
    database: str
    user: str
    login: Login
    tls: str  # libpq's sslmode
    tls_roots: str | None  # a file, or libpq's own default
    namespace: str = NAMESPACE


@dataclass(frozen=True, slots=True, kw_only=True)
class RestCatalog:
    """A server that speaks Iceberg's REST protocol; ``warehouse`` is the name that it knows a warehouse by."""

    uri: str
    warehouse: str | None
    login: Login
    namespace: str = NAMESPACE


@dataclass(frozen=True, slots=True, kw_only=True)
class GlueCatalog:
    """The Glue Data Catalog of an AWS account, which is the pod's own unless ``account`` names another."""

    region: str
    account: str | None = None
    namespace: str = NAMESPACE


CatalogAddress: TypeAlias = SqliteCatalog | PostgresCatalog | RestCatalog | GlueCatalog


@dataclass(frozen=True, slots=True, kw_only=True)
class Warehouse:
    """Where the files are.

    ``region`` is of an S3 bucket, and ``endpoint`` where S3 is reached when not at its public name; ``account`` is of
    Azure's storage. None elsewhere.
    """

    location: str
    region: str | None = None
    endpoint: str | None = None
    account: str | None = None

    @property
    def scheme(self) -> str:
        """The kind of storage: ``file``, ``s3``, ``gs`` or ``abfss``."""
        return urlsplit(self.location).scheme or "file"


def catalog_of(address: str) -> CatalogAddress:
    """Parse a catalog's address; raise `ValueError` saying what to write instead, without the address itself."""
    parts = urlsplit(address)
    parse = _CATALOGS.get(parts.scheme)
    if parse is None:
        raise ValueError("a catalog begins with sqlite:///, postgresql://, https:// or glue://")
    if parts.password is not None:
        raise ValueError("a password in an address is a static key: leave it out and name a login with auth=")
    options = _Options(parts.query)
    found = parse(parts, options)
    namespace = options.take("namespace") or NAMESPACE
    options.finish()
    if not _NAMESPACE.fullmatch(namespace):
        raise ValueError("namespace= is small letters, digits and underscores, beginning with a letter")
    return replace(found, namespace=namespace)


def warehouse_of(address: str) -> Warehouse:
    """Parse a warehouse's address: a folder, ``s3://``, ``gs://`` or ``abfss://``; raise `ValueError`."""
    parts = urlsplit(address)
    options = _Options(parts.query)
    if parts.scheme in {"", "file"}:
        return Warehouse(location=address)
    location = f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")
    if parts.scheme == "s3":
        endpoint = options.take("endpoint")
        found = Warehouse(
            location=location, region=options.take("region"), endpoint=_https(endpoint) if endpoint else None
        )
    elif parts.scheme == "gs":
        found = Warehouse(location=location)
    elif parts.scheme == "abfss":
        if parts.username is None or parts.hostname is None:
            raise ValueError("write abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/FOLDER")
        found = Warehouse(location=location, account=parts.hostname.partition(".")[0])
    else:
        raise ValueError("a warehouse is a folder, or begins with s3://, gs:// or abfss://")
    if parts.password is not None:
        raise ValueError("a password in an address is a static key: the pod's own identity is what opens a bucket")
    options.finish()
    return found


class _Options:
    """What stands behind the question mark: each taken once, and none left over."""

    def __init__(self, query: str) -> None:
        self._values = dict(parse_qsl(query, keep_blank_values=True))

    def take(self, name: str) -> str | None:
        return self._values.pop(name, None) or None

    def need(self, name: str, why: str) -> str:
        value = self.take(name)
        if value is None:
            raise ValueError(f"{name}= is missing: {why}")
        return value

    def finish(self) -> None:
        if self._values:
            raise ValueError(f"unknown options in the address: {', '.join(sorted(self._values))}")


def _sqlite(parts: SplitResult, _options: _Options) -> SqliteCatalog:
    path = unquote(parts.path)
    if parts.netloc or len(path) < len("/x"):
        raise ValueError("write sqlite:////var/lib/aeterna/catalog.db: three slashes, then the path")
    return SqliteCatalog(path=Path(path[1:]))


def _postgres(parts: SplitResult, options: _Options) -> PostgresCatalog:
    host, database = options.take("host") or parts.hostname, unquote(parts.path.strip("/"))
    # As libpq does: whoever is told an address without a login adds his own at its end.
    user = options.take("user") or unquote(parts.username or "")
    if not host or not database or not user:
        raise ValueError("write postgresql://USER@HOST:5432/DATABASE?auth=…")
    port = int(options.take("port") or parts.port or _POSTGRES_PORT)
    if not 0 < port <= _MAX_PORT:
        raise ValueError("the port is none")
    return PostgresCatalog(
        host=host,
        port=port,
        database=database,
        user=user,
        login=_login(options, azure_scope="https://ossrdbms-aad.database.windows.net/.default"),
        tls=options.take("sslmode") or ("disable" if _is_near(host) else "verify-full"),
        tls_roots=options.take("sslrootcert"),
    )


def _rest(parts: SplitResult, options: _Options) -> RestCatalog:
    host = parts.hostname or ""
    if parts.username is not None or not host:
        raise ValueError("write https://HOST/PATH?auth=…")
    if parts.scheme == "http" and not (_is_near(host) or _is_of_the_cluster(host)):
        raise ValueError("http:// shows every token to the network: write https://")
    return RestCatalog(
        uri=f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/"),
        warehouse=options.take("warehouse"),
        login=_login(options, azure_scope="https://storage.azure.com/.default"),
    )


def _glue(parts: SplitResult, options: _Options) -> GlueCatalog:
    if not parts.hostname:
        raise ValueError("write glue://REGION, or glue://REGION?account=…")
    return GlueCatalog(region=parts.hostname, account=options.take("account"))


def _login(options: _Options, *, azure_scope: str) -> Login:
    match options.take("auth") or "none":
        case "none":
            return NoLogin()
        case "file":
            return FileLogin(path=Path(options.need("token_file", "auth=file reads the token from a file")))
        case "exchange":
            return ExchangeLogin(
                path=Path(options.need("token_file", "auth=exchange shows the token of that file")),
                token_uri=_https(options.need("token_uri", "auth=exchange asks an OAuth server there")),
                scope=options.take("scope") or "catalog",
            )
        case "aws":
            region = options.need("region", "auth=aws signs for one region")
            return AwsLogin(region=region, service=options.take("service") or "glue")
        case "google":
            return GoogleLogin(project=options.take("project"))
        case "azure":
            return AzureLogin(scope=options.take("scope") or azure_scope)
        case _:
            raise ValueError("auth= is none, file, exchange, aws, google or azure")


def _https(address: str) -> str:
    parts = urlsplit(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_near(parts.hostname or "")):
        raise ValueError("what is secret is sent over https:// only")
    return address


def _is_near(host: str) -> bool:
    """Whether nothing between here and the host could listen."""
    if host == "localhost" or host.startswith("/"):
        return True
    return is_loopback(host)


def _is_of_the_cluster(host: str) -> bool:
    """Whether only a resolver inside a Kubernetes cluster knows the name: nothing leads out of it."""
    return ("." not in host and ":" not in host) or host.endswith((".svc", ".svc.cluster.local"))


_CATALOGS: Final[Mapping[str, Callable[[SplitResult, _Options], CatalogAddress]]] = {
    "sqlite": _sqlite,
    "postgresql": _postgres,
    "https": _rest,
    "http": _rest,
    "glue": _glue,
}
