"""A Valkey cache that survives the loss of a zone: its spec, and what a deployed one tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.late import Late
from aeterna.contracts.naming import require_between, require_distinct, require_name

MAJORS = ("7", "8")
MOST_REPLICAS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheSpec:
    """A Valkey cache reachable only inside the network, over TLS, by identities rather than passwords.

    - ``name`` is the cache's. Changing it replaces the cache and everything in it.
    - ``major`` is Valkey's major version; minor versions are taken in the maintenance window. Default: "8".
    - ``memory_gib`` is the least memory a node has for data; the construct takes the smallest machine that has it.
      Default: 2.
    - ``replicas`` is how many copies stand beside the primary, in other zones. Default: 1. With one or more, a lost
      primary is replaced by itself within a minute; writes of the last moments before may be lost, because copies
      follow asynchronously. With none, losing the node empties the cache. Keep in it only what can be rebuilt.
    - ``users`` are the logins, each bound to a cloud identity; the login without a name is off. Default: "aeterna".
    - ``backup_days`` keeps a daily snapshot for so long; 0 keeps none. Default: 7.
    - ``log_days`` is how long the engine's logs and slow commands are kept, encrypted. Default: 90.
    """

    name: str
    major: str = "8"
    memory_gib: int = 2
    replicas: int = 1
    users: tuple[str, ...] = ("aeterna",)
    backup_days: int = 7
    log_days: int = 90

    def __post_init__(self) -> None:
        """Refuse what no cloud could deploy."""
        kind = type(self).__name__
        require_name(kind, "name", self.name)
        if self.major not in MAJORS:
            remedy = f"use one of {', '.join(MAJORS)}"
            raise InvalidSpecError(kind, "major", f"{self.major!r} is not a supported major version", remedy)
        require_between(kind, "memory_gib", self.memory_gib, (1, 310), "GiB")
        require_between(kind, "replicas", self.replicas, (0, MOST_REPLICAS), "replicas")
        require_between(kind, "backup_days", self.backup_days, (0, 35), "days")
        require_between(kind, "log_days", self.log_days, (1, 3653), "days")
        self._check_users(kind)

    def _check_users(self, kind: str) -> None:
        if not self.users:
            raise InvalidSpecError(kind, "users", "nobody could log in", "name at least one user")
        require_distinct(kind, "users", self.users)
        for user in self.users:
            require_name(kind, "users", user)
            if user == "default":
                problem = "'default' is the login without a name, which stays off"
                raise InvalidSpecError(kind, "users", problem, "choose another name")


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheOutputs:
    """A deployed cache: where it is, and who may log in. There is no password in it.

    A client connects to ``host``:``port`` over TLS and logs in as one of ``users`` with a token that its own identity
    is given.
    """

    host: Late
    """The primary; the name follows a failover."""
    reader_host: Late
    """The copies, for reads that may be a moment old."""
    port: Late
    users: Mapping[str, Late]
    """The full login of each user of the spec, where logins are the cache's own; empty where an identity's own name is
    the login, see `IdentityOutputs.logins`."""
    certificate_authority: Late | None = None
    """The certificate, in PEM, that signs the server's. None where the system's own authorities do."""
    clustered: bool = False
    """Whether the server speaks the cluster protocol, so that the client has to."""
    name: Late | None = None
    """The service's own name of it, where a login's token is made out to that."""
