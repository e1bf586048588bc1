"""Which namespaces of a cluster are whose: the document by which a workload's own token proves its tenant.

A cluster vouches for a pod's namespace and service account and knows nothing of tenants. The platform writes this
document, the services and the injector read it; nothing that a pod says of itself counts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, cast

from aeterna.contracts.errors import AeternaError
from aeterna.contracts.identity import LABEL, SUBDOMAIN

FORMAT: Final = 1
TENANT: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
ROLE: Final = re.compile(r"[\x21-\x7e]{1,255}")


class WorkloadsInvalidError(AeternaError):
    """The document of namespaces and tenants is not one; whoever reads it trusts no workload until it is."""

    code = "workloads.invalid"

    def __init__(self, place: str, problem: str) -> None:
        """Name the place in the document, by keys and dots, and what is wrong there."""
        super().__init__(f"{place}: {problem}")
        self.place = place
        self.problem = problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenancy:
    """Whose the pods of a namespace are. ``roles`` are those of every service account there but for those named."""

    tenant: str
    roles: tuple[str, ...] = ()
    service_accounts: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """The roles of a service account in place of those of the namespace."""

    def roles_of(self, service_account: str) -> tuple[str, ...]:
        """Return the roles of a service account of the namespace."""
        return self.service_accounts.get(service_account, self.roles)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workloads:
    """The tenancy of each namespace that has one."""

    namespaces: Mapping[str, Tenancy] = field(default_factory=dict[str, Tenancy])

    def document(self) -> str:
        """Return the document, the same bytes for the same content."""
        namespaces = {
            name: {
                "tenant": each.tenant,
                "roles": list(each.roles),
                "service_accounts": {account: list(roles) for account, roles in each.service_accounts.items()},
            }
            for name, each in self.namespaces.items()
        }
        return json.dumps({"format": FORMAT, "namespaces": namespaces}, indent=2, sort_keys=True) + "\n"


def read_workloads(text: str) -> Workloads:
    """Read the document, whole or not at all. Raises `WorkloadsInvalidError`."""
    try:
        document: object = json.loads(text)
    except (ValueError, RecursionError):
        raise WorkloadsInvalidError("the document", "is not JSON") from None
    top = _object("the document", document, {"format", "namespaces"})
    if top.get("format") != FORMAT:
        raise WorkloadsInvalidError("format", f"must be {FORMAT}")
    namespaces = _object("namespaces", top.get("namespaces", {}), None)
    for name in namespaces:
        if not LABEL.fullmatch(name):
            raise WorkloadsInvalidError(f"namespaces.{name}", "is not a namespace (RFC 1123 label)")
    return Workloads(namespaces={name: _tenancy(f"namespaces.{name}", each) for name, each in namespaces.items()})


def _tenancy(place: str, value: object) -> Tenancy:
    entry = _object(place, value, {"tenant", "roles", "service_accounts"})
    tenant = entry.get("tenant")
    if not isinstance(tenant, str) or not TENANT.fullmatch(tenant):
        raise WorkloadsInvalidError(f"{place}.tenant", "is not a tenant: 1 to 63 of a-z, 0-9 and '-'")
    accounts = _object(f"{place}.service_accounts", entry.get("service_accounts", {}), None)
    for name in accounts:
        if not SUBDOMAIN.fullmatch(name):
            raise WorkloadsInvalidError(f"{place}.service_accounts.{name}", "is not a service account's name")
    return Tenancy(
        tenant=tenant,
        roles=_roles(f"{place}.roles", entry.get("roles", [])),
        service_accounts={name: _roles(f"{place}.service_accounts.{name}", roles) for name, roles in accounts.items()},
    )


def _roles(place: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise WorkloadsInvalidError(place, "is not a list of roles")
    roles = cast("list[object]", value)
    if not all(isinstance(role, str) and ROLE.fullmatch(role) for role in roles):
        raise WorkloadsInvalidError(place, "holds what is no role: 1 to 255 printable characters without a space")
    return tuple(cast("list[str]", roles))


def _object(place: str, value: object, known: set[str] | None) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise WorkloadsInvalidError(place, "is not an object")
    entries = cast("dict[str, object]", value)
    unknown = sorted(entries.keys() - known) if known is not None else []
    if unknown:
        raise WorkloadsInvalidError(f"{place}.{unknown[0]}", "is not known here")
    return entries
