"""What a pod's author asks for: the annotations, read whole or refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeAlias

from aeterna.contracts.identity import SUBDOMAIN
from aeterna.contracts.injection import names
from aeterna.contracts.injection.errors import (
    ConflictingAnnotationsError,
    InvalidAnnotationError,
    UnknownAnnotationError,
)
from aeterna.contracts.injection.quantity import amount
from aeterna.contracts.platform import VERSION
from aeterna.contracts.workloads import TENANT

if TYPE_CHECKING:
    import re

POLICY: Final = "policy"
SECRETS: Final = "secrets"
SIDECARS: Final = (POLICY, SECRETS)
OPTED_OUT: Final = "false"
MAX_CACHE_TTL: Final = 3600

OF_POLICY: Final = frozenset({names.CACHE_TTL, names.POLICY_VERSION, names.POLICY_CPU, names.POLICY_MEMORY})
OF_SECRETS: Final = frozenset(
    {names.SECRETS_VERSION, names.SECRETS_CONFIG, names.SECRETS_CPU, names.SECRETS_MEMORY},
)
WRITTEN_BY_AUTHORS: Final = frozenset({names.INJECT, names.TENANT, names.VERSION}) | OF_POLICY | OF_SECRETS
_KNOWN: Final = WRITTEN_BY_AUTHORS | {names.STATUS}
_PREFIX: Final = f"{names.DOMAIN}/"
_LEAST_CPU: Final = Decimal("0.001")
_MOST_CPU: Final = Decimal(64)
_LEAST_MEMORY: Final = Decimal(32 * 2**20)
_MOST_MEMORY: Final = Decimal(64 * 2**30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """What a sidecar asks of its node, as Kubernetes' quantities; None is the installation's default."""

    cpu: str | None = None
    memory: str | None = None


_DEFAULT: Final = Requests()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Which sidecars a pod asks for, and how they should be.

    - ``policy`` and ``secrets`` are the sidecars. ``secrets_config`` names the ConfigMap of the second one.
    - ``tenant`` is whom the pod works for. Default: the one that its namespace is of.
    - ``cache_ttl`` is how long a decision may be remembered, in seconds. Default: the sidecar's own.
    - ``version`` is of all sidecars, ``policy_version`` and ``secrets_version`` of one. Default: the installation's.
    """

    policy: bool = False
    secrets: bool = False
    secrets_config: str | None = None
    tenant: str | None = None
    cache_ttl: int | None = None
    version: str | None = None
    policy_version: str | None = None
    secrets_version: str | None = None
    policy_requests: Requests = _DEFAULT
    secrets_requests: Requests = _DEFAULT

    def annotations(self) -> dict[str, str]:
        """Return the annotations that ask for this; `wish` reads them back."""
        asked = (name for name, on in ((POLICY, self.policy), (SECRETS, self.secrets)) if on)
        written = {
            names.INJECT: ",".join(asked) or OPTED_OUT,
            names.TENANT: self.tenant,
            names.CACHE_TTL: None if self.cache_ttl is None else str(self.cache_ttl),
            names.VERSION: self.version,
            names.POLICY_VERSION: self.policy_version,
            names.SECRETS_VERSION: self.secrets_version,
            names.SECRETS_CONFIG: self.secrets_config,
            names.POLICY_CPU: self.policy_requests.cpu,
            names.POLICY_MEMORY: self.policy_requests.memory,
            names.SECRETS_CPU: self.secrets_requests.cpu,
            names.SECRETS_MEMORY: self.secrets_requests.memory,
        }
        return {name: value for name, value in written.items() if value is not None}


def wish(annotations: Mapping[str, str]) -> Wish | None:
    """Return what the annotations of a pod ask for, or None where that is nothing.

    With ``aeterna.io/inject: "false"`` nothing else is looked at. Raises `UnknownAnnotationError`,
    `InvalidAnnotationError` or `ConflictingAnnotationsError`.
    """
    inject = annotations.get(names.INJECT)
    if inject is not None and inject.strip() == OPTED_OUT:
        return None
    ours = {name: value for name, value in annotations.items() if name.startswith(_PREFIX)}
    for name in ours:
        if name not in _KNOWN:
            raise UnknownAnnotationError(name, WRITTEN_BY_AUTHORS)
    ours.pop(names.STATUS, None)
    if inject is None:
        if ours:
            problem = f"{min(ours)} is about sidecars, and none are asked for"
            raise ConflictingAnnotationsError(problem, f'add {names.INJECT}: "policy", or leave it out')
        return None
    asked = _sidecars(inject)
    _refuse_settings_of_the_absent(ours, asked)
    for name, value in ours.items():
        if name in _EXPECTED:
            _check(name, value)
    return _read(ours, asked)


def _sidecars(inject: str) -> frozenset[str]:
    asked = [part.strip() for part in inject.split(",")]
    if len(set(asked)) != len(asked) or not set(asked) <= set(SIDECARS):
        expected = f'"{POLICY}", "{SECRETS}", "{POLICY},{SECRETS}", or "{OPTED_OUT}"'
        if OPTED_OUT in asked:
            problem = f"{names.INJECT} asks for sidecars and for none"
            raise ConflictingAnnotationsError(problem, f"write one of {expected}")
        raise InvalidAnnotationError(names.INJECT, inject, expected)
    return frozenset(asked)


def _refuse_settings_of_the_absent(ours: Mapping[str, str], asked: frozenset[str]) -> None:
    for sidecar, settings in ((POLICY, OF_POLICY), (SECRETS, OF_SECRETS)):
        orphans = sorted(settings & ours.keys())
        if orphans and sidecar not in asked:
            problem = f"{orphans[0]} is about the {sidecar} sidecar, and {names.INJECT} does not ask for it"
            raise ConflictingAnnotationsError(problem, f"add {sidecar!r} there, or leave it out")
    if SECRETS in asked and names.SECRETS_CONFIG not in ours:
        problem = f"{names.INJECT} asks for secrets, and nothing says which"
        raise ConflictingAnnotationsError(problem, f"name a ConfigMap with {names.SECRETS_CONFIG}")


def _is_cpu(text: str) -> bool:
    cpu = amount(text)
    return cpu is not None and _LEAST_CPU <= cpu <= _MOST_CPU


def _is_memory(text: str) -> bool:
    memory = None if text.endswith("m") else amount(text)
    return memory is not None and _LEAST_MEMORY <= memory <= _MOST_MEMORY


def _is_ttl(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= len(str(MAX_CACHE_TTL)) and int(text) <= MAX_CACHE_TTL


def _matches(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: pattern.fullmatch(text) is not None


_Rule: TypeAlias = tuple[Callable[[str], bool], str]
_A_CPU: Final[_Rule] = (_is_cpu, 'processors of at least "1m" and at most "64"')
_A_MEMORY: Final[_Rule] = (_is_memory, 'bytes of at least "32Mi" and at most "64Gi"')
_A_VERSION: Final[_Rule] = (_matches(VERSION), "the tag of an image")
_EXPECTED: Final[Mapping[str, _Rule]] = MappingProxyType(
    {
        names.TENANT: (_matches(TENANT), "a tenant: 1 to 63 of a-z, 0-9 and '-'"),
        names.CACHE_TTL: (_is_ttl, f"a whole number of seconds from 0 to {MAX_CACHE_TTL}"),
        names.VERSION: _A_VERSION,
        names.POLICY_VERSION: _A_VERSION,
        names.SECRETS_VERSION: _A_VERSION,
        names.SECRETS_CONFIG: (_matches(SUBDOMAIN), "the name of a ConfigMap"),
        names.POLICY_CPU: _A_CPU,
        names.POLICY_MEMORY: _A_MEMORY,
        names.SECRETS_CPU: _A_CPU,
        names.SECRETS_MEMORY: _A_MEMORY,
    }
)


def _check(name: str, value: str) -> None:
    accepted, expected = _EXPECTED[name]
    if not accepted(value):
        raise InvalidAnnotationError(name, value, expected)


def _read(ours: Mapping[str, str], asked: frozenset[str]) -> Wish:
    ttl = ours.get(names.CACHE_TTL)
    return Wish(
        policy=POLICY in asked,
        secrets=SECRETS in asked,
        secrets_config=ours.get(names.SECRETS_CONFIG),
        tenant=ours.get(names.TENANT),
        cache_ttl=None if ttl is None else int(ttl),
        version=ours.get(names.VERSION),
        policy_version=ours.get(names.POLICY_VERSION),
        secrets_version=ours.get(names.SECRETS_VERSION),
        policy_requests=Requests(cpu=ours.get(names.POLICY_CPU), memory=ours.get(names.POLICY_MEMORY)),
        secrets_requests=Requests(cpu=ours.get(names.SECRETS_CPU), memory=ours.get(names.SECRETS_MEMORY)),
    )
