"""What an installation says of the sidecars that it injects; a document, so that a change needs no new image."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Final

from aeterna.contracts.injection.errors import InvalidInstallationError, UnknownVersionError
from aeterna.contracts.injection.quantity import amount
from aeterna.contracts.json_value import is_array, is_object
from aeterna.contracts.platform import FailurePolicy

FORMAT: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What a sidecar asks of its node, as Kubernetes' quantities; memory is its limit as well."""

    cpu: str
    memory: str

    def __post_init__(self) -> None:
        """Refuse what the API server would refuse of every pod."""
        for name, value in (("cpu", self.cpu), ("memory", self.memory)):
            if not amount(value):
                raise InvalidInstallationError(name, f"{value!r} is no quantity above 0")


# Fed by signed bundles: 77 MB measured with the shipped policies, some 100 with 5,000 while a new bundle comes.
POLICY_RESOURCES: Final = Resources(cpu="10m", memory="128Mi")
# Measured: 62 MB.
SECRETS_RESOURCES: Final = Resources(cpu="10m", memory="96Mi")
OPAL_RESOURCES: Final = Resources(cpu="10m", memory="192Mi")


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """Where the platform is, and which sidecars it has.

    - ``registry`` is what stands before ``/<image>:<tag>``. ``version`` is the tag of every sidecar, ``versions`` are
      further ones that pods may ask for.
    - ``namespace`` is the platform's own, which is never injected.
    - ``graph_url``, ``threads_url`` and ``policies_url`` are the services', ``bundle_url`` where signed bundles are.
    - ``failure_policy`` is what becomes of a pod that cannot be served.
    - ``issuer``, ``jwks``, ``audience`` and ``tenant_claim`` are of the provider that vouches for people, and
      ``workload_issuer`` is the cluster's, which vouches for pods.
    - ``opal_url`` is OPAL's server, which then feeds policies in place of bundles. Default: none. It brings entities
      too, unless ``opal_entities`` is off; a client that waits for those of nobody is never done.
    - ``seeded`` lets an agent begin with the policies that are shipped, until bundles bring the deployed ones. Without,
      it starts once they are there, which needs some to be deployed. What OPAL feeds is always waited for. Default: on.
    - ``otlp_endpoint`` is where spans go. Default: nowhere.
    - ``pod_labels`` are put on injected pods, as some clouds want for their workload identity. Default: none.
    """

    registry: str
    version: str
    namespace: str
    graph_url: str
    threads_url: str
    policies_url: str
    bundle_url: str
    failure_policy: FailurePolicy
    issuer: str
    jwks: str
    workload_issuer: str
    audience: str = "aeterna"
    tenant_claim: str = "tenant"
    versions: tuple[str, ...] = ()
    opal_url: str | None = None
    opal_entities: bool = True
    seeded: bool = True
    otlp_endpoint: str | None = None
    pod_labels: Mapping[str, str] = field(default_factory=dict[str, str])
    policy: Resources = POLICY_RESOURCES
    secrets: Resources = SECRETS_RESOURCES
    opal_client: Resources = OPAL_RESOURCES

    def image(self, name: str, asked: Mapping[str, str | None]) -> str:
        """Return an image in the first version that is asked for by an annotation, or in the installation's.

        Raises `UnknownVersionError` for one that there is not.
        """
        for annotation, version in asked.items():
            if version is not None and version != self.version and version not in self.versions:
                raise UnknownVersionError(annotation, version, {self.version, *self.versions})
        tag = next((version for version in asked.values() if version is not None), self.version)
        return f"{self.registry}/{name}:{tag}"

    def document(self) -> str:
        """Return the document, the same bytes for the same content."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=2, sort_keys=True) + "\n"


def read_installation(text: str | bytes) -> Installation:
    """Read the document, whole or not at all. Raises `InvalidInstallationError`."""
    try:
        document: object = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidInstallationError("the document", "is not JSON") from None
    known = {each.name for each in fields(Installation)}
    found = _Document(document, "", known | {"format"})
    if found.values.get("format") != FORMAT:
        raise InvalidInstallationError("format", f"must be {FORMAT}")
    return Installation(
        registry=found.text("registry"),
        version=found.text("version"),
        namespace=found.text("namespace"),
        graph_url=found.text("graph_url"),
        threads_url=found.text("threads_url"),
        policies_url=found.text("policies_url"),
        bundle_url=found.text("bundle_url"),
        failure_policy=found.failure_policy("failure_policy"),
        issuer=found.text("issuer"),
        jwks=found.text("jwks"),
        workload_issuer=found.text("workload_issuer"),
        audience=found.text("audience", "aeterna"),
        tenant_claim=found.text("tenant_claim", "tenant"),
        versions=found.texts("versions"),
        opal_url=found.optional("opal_url"),
        opal_entities=found.flag("opal_entities", default=True),
        seeded=found.flag("seeded", default=True),
        otlp_endpoint=found.optional("otlp_endpoint"),
        pod_labels=found.labels("pod_labels"),
        policy=found.resources("policy", POLICY_RESOURCES),
        secrets=found.resources("secrets", SECRETS_RESOURCES),
        opal_client=found.resources("opal_client", OPAL_RESOURCES),
    )


class _Document:
    """An object of the document, of which each value is read as what it must be."""

    def __init__(self, value: object, place: str, known: set[str]) -> None:
        """Take where it is in the document, with a dot at the end, and the names that may be in it."""
        if not is_object(value):
            raise InvalidInstallationError(place.rstrip(".") or "the document", "is not an object")
        for name in sorted(value.keys() - known):
            raise InvalidInstallationError(f"{place}{name}", "is not known here")
        self.values = value
        self._place = place

    def text(self, name: str, default: str | None = None) -> str:
        found = self.values.get(name, default)
        if found is None:
            raise InvalidInstallationError(f"{self._place}{name}", "is missing")
        if not isinstance(found, str) or not found:
            raise InvalidInstallationError(f"{self._place}{name}", "is not a text")
        return found

    def optional(self, name: str) -> str | None:
        return None if self.values.get(name) is None else self.text(name)

    def flag(self, name: str, *, default: bool) -> bool:
        found = self.values.get(name, default)
        if not isinstance(found, bool):
            raise InvalidInstallationError(f"{self._place}{name}", "is neither true nor false")
        return found

    def texts(self, name: str) -> tuple[str, ...]:
        found = self.values.get(name, [])
        if not is_array(found):
            raise InvalidInstallationError(f"{self._place}{name}", "is not a list")
        texts = tuple(each for each in found if isinstance(each, str))
        if len(texts) != len(found):
            raise InvalidInstallationError(f"{self._place}{name}", "holds what is not a text")
        return texts

    def labels(self, name: str) -> dict[str, str]:
        found = self.values.get(name, {})
        if not is_object(found):
            raise InvalidInstallationError(f"{self._place}{name}", "is not an object")
        texts = {key: each for key, each in found.items() if isinstance(each, str)}
        if len(texts) != len(found):
            raise InvalidInstallationError(f"{self._place}{name}", "holds what is not a text")
        return texts

    def failure_policy(self, name: str) -> FailurePolicy:
        try:
            return FailurePolicy(self.text(name))
        except ValueError:
            expected = f"is not one of {', '.join(FailurePolicy)}"
            raise InvalidInstallationError(f"{self._place}{name}", expected) from None

    def resources(self, name: str, default: Resources) -> Resources:
        if name not in self.values:
            return default
        inner = _Document(self.values[name], f"{self._place}{name}.", {"cpu", "memory"})
        return Resources(cpu=inner.text("cpu", default.cpu), memory=inner.text("memory", default.memory))
