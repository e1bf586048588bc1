"""The administration of policies: versions in PostgreSQL, and the signed bundles that sidecars follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.platform.database import connection, trust
from aeterna.platform.environment import prefixed, service
from aeterna.platform.names import BUNDLE_SIGNING, POLICIES, PORTS, WORKLOADS_CONFIG, tls_secret
from aeterna.platform.priorities import SERVING
from aeterna.platform.program import Probed, Program
from aeterna.platform.serving import Part, Serving
from aeterna.platform.volumes import TLS, WORKLOADS, cluster_access, config, scratch, secret

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct

    from aeterna.platform.site import Site
    from aeterna.synth._cdk import ITerraformDependable

SIGNING = "/etc/aeterna/signing"
SEED = "/opt/venv/share/aeterna/policies"
"""A folder of the image: what becomes version 1 where nothing was ever deployed, so that there always is a bundle."""
PREFIX = "AETERNA_POLICIES_"


class Policies(Serving):
    """The administration of policies. ``digest`` is of the files that its pods read only when they start."""

    def __init__(
        self, scope: Construct, id_: str, site: Site, *, digest: str, after: Sequence[ITerraformDependable] = ()
    ) -> None:
        part = Part(name=POLICIES, programs=(_program(site),), priority=SERVING, digest=digest)
        super().__init__(scope, id_, part, site=site, after=after)


def _program(site: Site) -> Program:
    return Program(
        name=POLICIES,
        image=site.image(POLICIES),
        resources=site.scale(POLICIES).resources,
        settings=prefixed(
            PREFIX,
            {
                **service(site),
                **connection(site, POLICIES),
                "SIGNING_KEY_FILE": f"{SIGNING}/signing-key.pem",
                "SEED": SEED,
            },
        ),
        mounts=(
            scratch("tmp", "/tmp", "256Mi"),  # noqa: S108 - a volume of the pod's own
            config("workloads", WORKLOADS, WORKLOADS_CONFIG),
            secret("tls", TLS, tls_secret(POLICIES)),
            secret("signing", SIGNING, BUNDLE_SIGNING, only=("signing-key.pem",)),
            trust(),
            cluster_access(),
        ),
        ports={"https": PORTS[POLICIES]},
        probed=Probed(port=PORTS[POLICIES]),
    )
