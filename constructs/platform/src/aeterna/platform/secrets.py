"""What the platform needs of the customer's secret store: names of keys, and never a value.

External Secrets reads the values inside the cluster; neither a plan nor a state ever holds one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from constructs import Construct

from aeterna.contracts.injection.names import OPAL_CLIENT_SECRET
from aeterna.platform.names import BUNDLE_SIGNING, OPAL_KEYS, PUSH_KEYS
from aeterna.platform.releases import ChartRelease, chart_labels

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aeterna.contracts.late import Late
    from aeterna.contracts.platform import PlatformSpec
    from aeterna.platform.site import Site
    from aeterna.synth._cdk import ITerraformDependable

OWN: Final[Mapping[str, Mapping[str, str]]] = {
    BUNDLE_SIGNING: {"signing-key.pem": "bundle-signing-key", "bundle-keys.pem": "bundle-public-keys"},
    PUSH_KEYS: {"secrets-keys": "push-secrets-keys", "signing-key.pem": "push-signing-key"},
}
"""By Secret of the platform's namespace, its files and the end of the key of each in the store."""
OPAL: Final[Mapping[str, Mapping[str, str]]] = {
    OPAL_KEYS: {
        "private-key.pem": "opal-private-key",
        "public-key": "opal-public-key",
        "master-token": "opal-master-token",
    },
    OPAL_CLIENT_SECRET: {"token": "opal-client-token"},
}
THEIRS: Final[Mapping[str, Mapping[str, str]]] = {OPAL_CLIENT_SECRET: {"token": "opal-client-token"}}
REFRESH: Final = "15m"


def stored_keys(spec: PlatformSpec) -> tuple[str, ...]:
    """Return the keys that the customer's store has to hold before the platform is applied.

    A hyphen joins them to the prefix: two of the clouds' stores take no slash in a name.
    """
    wanted = [key for files in _own(spec).values() for key in files.values()]
    return tuple(f"{spec.secrets.prefix}-{key}" for key in sorted(set(wanted)))


class Secrets(Construct):
    """The chart ``secrets``: one Secret for each purpose, kept in step with the store."""

    def __init__(
        self, scope: Construct, id_: str, *, site: Site, namespace: Late, after: Sequence[ITerraformDependable] = ()
    ) -> None:
        super().__init__(scope, id_)
        spec = site.spec
        namespaces = sorted(name for tenant in spec.tenants for name in tenant.namespaces)
        theirs = THEIRS if spec.opal is not None and namespaces else {}
        self.release = ChartRelease(
            self,
            "Release",
            "secrets",
            namespace=namespace,
            values={
                "labels": chart_labels(spec),
                "store": spec.secrets.name,
                "refresh": REFRESH,
                "own": [_secret(spec, name, files) for name, files in _own(spec).items()],
                "theirs": [{**_secret(spec, name, files), "namespaces": namespaces} for name, files in theirs.items()],
            },
            after=after,
        )


def _own(spec: PlatformSpec) -> Mapping[str, Mapping[str, str]]:
    return OWN if spec.opal is None else {**OWN, **OPAL}


def _secret(spec: PlatformSpec, name: str, files: Mapping[str, str]) -> dict[str, Any]:
    return {"name": name, "files": {file: f"{spec.secrets.prefix}-{key}" for file, key in files.items()}}
