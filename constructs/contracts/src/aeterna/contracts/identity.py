"""A workload's identity in the cloud: bound to exactly one service account, without any static credential."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.late import Late
from aeterna.contracts.naming import require_name

LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
SUBDOMAIN = re.compile(r"(?=.{1,253}\Z)[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentitySpec:
    """An identity for the pods of one service account, and for nothing else.

    - ``name`` is the identity's in the cloud, below the cluster's name.
    - ``namespace`` and ``service_account`` name the one service account that may use it, exactly; patterns are
      refused, because a pattern trusts whatever is created later under it.
    """

    name: str
    namespace: str
    service_account: str

    def __post_init__(self) -> None:
        """Refuse names that Kubernetes would refuse, and patterns."""
        kind = type(self).__name__
        require_name(kind, "name", self.name)
        if not LABEL.fullmatch(self.namespace):
            raise InvalidSpecError(
                kind, "namespace", f"{self.namespace!r} is not a namespace", "write its exact name (RFC 1123 label)"
            )
        if not SUBDOMAIN.fullmatch(self.service_account):
            raise InvalidSpecError(
                kind,
                "service_account",
                f"{self.service_account!r} is not a service account",
                "write its exact name (RFC 1123 subdomain)",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityOutputs:
    """A deployed identity: its principal, what its service account and pods must carry, and its logins.

    ``logins`` holds, for a database or a cache that it uses, by the name that the store has in the spec, the user as
    which the identity logs in there.
    """

    principal: Late
    annotations: Mapping[str, Late]
    """Of the service account; often none."""
    pod_labels: Mapping[str, Late] = field(default_factory=dict[str, Late])
    """Of the pods; often none."""
    logins: Mapping[str, Late] = field(default_factory=dict[str, Late])
