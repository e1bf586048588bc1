"""A private Kubernetes cluster: its spec, its pools of nodes, and what a deployed one tells."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from aeterna.contracts.addresses import parse_block, require_private
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.late import Late
from aeterna.contracts.naming import require_between, require_distinct, require_name

VERSION = re.compile(r"1\.\d{2}")
LARGEST_SERVICE_PREFIX = 12
SMALLEST_SERVICE_PREFIX = 24
MOST_NODES = 450
LONGEST_POOL_NAME = 12


class TaintEffect(StrEnum):
    """What a tainted node does with a pod that does not tolerate it."""

    NO_SCHEDULE = "NoSchedule"
    PREFER_NO_SCHEDULE = "PreferNoSchedule"
    NO_EXECUTE = "NoExecute"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taint:
    """Keeps pods that do not tolerate ``key=value`` off a pool's nodes."""

    key: str
    value: str
    effect: TaintEffect = TaintEffect.NO_SCHEDULE


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePoolSpec:
    """A pool of like nodes that grows and shrinks with its pods.

    - ``name`` is the pool's; changing it replaces the nodes, one by one.
    - ``machines`` are the cloud's machine types, any of which will do. Default: a general purpose machine with
      4 virtual CPUs and 16 GiB, chosen by the cloud's construct.
    - ``fewest`` and ``most`` bound the pool; it starts with ``fewest`` and is the autoscaler's from then on.
      Default: 3 to 9, one in every zone.
    - ``disk_gib`` is each node's disk, encrypted with the cluster's key. Default: 100.
    - ``labels`` and ``taints`` steer pods to or away from the pool. Default: none.
    """

    name: str
    machines: tuple[str, ...] = ()
    fewest: int = 3
    most: int = 9
    disk_gib: int = 100
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    taints: tuple[Taint, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a pool that could not be made."""
        kind = type(self).__name__
        require_name(kind, "name", self.name, longest=LONGEST_POOL_NAME)
        require_between(kind, "fewest", self.fewest, (1, MOST_NODES), "nodes")
        require_between(kind, "most", self.most, (1, MOST_NODES), "nodes")
        if self.most < self.fewest:
            raise InvalidSpecError(
                kind, "most", f"{self.most} is below fewest, {self.fewest}", "raise most or lower fewest"
            )
        require_between(kind, "disk_gib", self.disk_gib, (20, 16384), "GiB")
        require_distinct(kind, "machines", self.machines)


GENERAL = NodePoolSpec(name="general")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSpec:
    """A cluster whose API is reachable only from inside the network, with secrets, disks and logs under one key.

    - ``name`` is the cluster's.
    - ``version`` is the Kubernetes minor version. Default: the one this release was tested with on that cloud.
    - ``pools`` are its nodes. Default: one general pool of 3 to 9.
    - ``service_cidr`` is where service addresses come from; it may not overlap the network. Default: 172.20.0.0/16.
    - ``deployer`` is the principal that applies, and gets administrator rights in the cluster. Default: whoever
      applies first, and nobody who applies later. Name it where a pipeline and people apply in turn.
    - ``administrators`` get the same rights: full principal identifiers. Default: none.
    - ``break_glass`` may take the emergency role, with a second factor, and their doing so is logged.
      Default: anyone in the account whose own permissions allow it.
    - ``api_clients`` are further blocks that may reach the API, such as an office behind a private link or a pipeline's
      runners. Default: none; the cluster's own nodes always can.
    - ``log_days`` is how long the control plane's logs are kept. Default: 90.
    - ``protected`` refuses to delete the cluster. Default: on.
    """

    name: str
    version: str | None = None
    pools: tuple[NodePoolSpec, ...] = (GENERAL,)
    service_cidr: str = "172.20.0.0/16"
    deployer: str | None = None
    administrators: tuple[str, ...] = ()
    break_glass: tuple[str, ...] = ()
    api_clients: tuple[str, ...] = ()
    log_days: int = 90
    protected: bool = True

    def __post_init__(self) -> None:
        """Refuse what could not be deployed."""
        kind = type(self).__name__
        require_name(kind, "name", self.name)
        if self.version is not None and not VERSION.fullmatch(self.version):
            raise InvalidSpecError(
                kind, "version", f"{self.version!r} is not a minor version", 'write one such as "1.35"'
            )
        if not self.pools:
            raise InvalidSpecError(kind, "pools", "a cluster without nodes runs nothing", "give at least one pool")
        require_distinct(kind, "pools", tuple(pool.name for pool in self.pools))
        require_distinct(kind, "administrators", self.administrators)
        require_distinct(kind, "break_glass", self.break_glass)
        if self.deployer is not None and self.deployer in self.administrators:
            raise InvalidSpecError(
                kind,
                "administrators",
                f"{self.deployer} is the deployer and an administrator",
                "name it once: the deployer has the same rights",
            )
        for block in self.api_clients:
            require_private(kind, "api_clients", parse_block(kind, "api_clients", block))
        services = parse_block(kind, "service_cidr", self.service_cidr)
        require_private(kind, "service_cidr", services)
        if not LARGEST_SERVICE_PREFIX <= services.prefixlen <= SMALLEST_SERVICE_PREFIX:
            raise InvalidSpecError(
                kind,
                "service_cidr",
                f"{services} has a size that no managed control plane takes",
                f"use a block of /{LARGEST_SERVICE_PREFIX} to /{SMALLEST_SERVICE_PREFIX}",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterOutputs:
    """A deployed cluster: what a client needs beside its own identity. There is no credential in it."""

    name: Late
    endpoint: Late
    certificate_authority: Late
    """The certificate authority of the API, base64-encoded PEM."""
    issuer: Late
    """The address of the issuer of service accounts' tokens."""
    version: Late
    login: tuple[Late, ...] = ()
    """The command that gives a client a token for whoever runs it, as kubectl takes it (ExecCredential, v1beta1); none
    of a cluster that was deployed before it was told."""
    identity_blocks: tuple[Late, ...] = ()
    """Where on its node a pod is given tokens of its cloud identity, as blocks of addresses; none where it is not."""
