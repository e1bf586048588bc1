"""OPAL's servers, which bring policies from a git repository to every sidecar, with the relay to the shared cache."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from aeterna.platform.names import OPAL, OPAL_KEYS, OPAL_SERVER, PORTS
from aeterna.platform.priorities import SERVING
from aeterna.platform.program import Probed, Program
from aeterna.platform.relay import RELAY_ADDRESS, relay
from aeterna.platform.serving import DRAIN_DELAY, Part, Serving
from aeterna.platform.volumes import scratch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct

    from aeterna.contracts.platform import OpalSpec
    from aeterna.platform.site import Site
    from aeterna.synth._cdk import ITerraformDependable

POLLING_SECONDS: Final = 10
LIVE: Final = "/healthcheck"


class Opal(Serving):
    """OPAL's servers. A client stays with one of them, since each pulls the repository for itself."""

    def __init__(
        self, scope: Construct, id_: str, site: Site, opal: OpalSpec, *, after: Sequence[ITerraformDependable] = ()
    ) -> None:
        part = Part(
            name=OPAL_SERVER,
            programs=(_server(site, opal), relay(site)),
            priority=SERVING,
            account=OPAL,
            decides=False,
            sticky=True,
            app_protocol="http",
        )
        super().__init__(scope, id_, part, site=site, after=after)


def _server(site: Site, opal: OpalSpec) -> Program:
    return Program(
        name=OPAL_SERVER,
        image=site.image(OPAL),
        resources=site.scale(OPAL_SERVER).resources,
        settings={
            "OPAL_POLICY_REPO_URL": opal.repository,
            "OPAL_POLICY_REPO_MAIN_BRANCH": opal.branch,
            "OPAL_POLICY_REPO_POLLING_INTERVAL": str(POLLING_SECONDS),
            "OPAL_BROADCAST_URI": RELAY_ADDRESS,
            "OPAL_DATA_CONFIG_SOURCES": _sources(opal),
            "OPAL_AUTH_JWT_AUDIENCE": "aeterna-opal",
            "OPAL_AUTH_JWT_ISSUER": site.url(OPAL_SERVER, scheme="http"),
        },
        secrets={
            "OPAL_AUTH_PRIVATE_KEY": (OPAL_KEYS, "private-key.pem"),
            "OPAL_AUTH_PUBLIC_KEY": (OPAL_KEYS, "public-key"),
            "OPAL_AUTH_MASTER_TOKEN": (OPAL_KEYS, "master-token"),
        },
        mounts=(scratch("tmp", "/tmp", "1Gi"),),  # noqa: S108 - a volume of the pod's own; the repository is cloned there
        ports={"http": PORTS[OPAL_SERVER]},
        probed=Probed(port=PORTS[OPAL_SERVER], scheme="HTTP", live=LIVE, ready=LIVE),
        lingers=DRAIN_DELAY,
    )


def _sources(opal: OpalSpec) -> str:
    """Return where clients fetch the entities; the policies' own suffice where there is no address."""
    entries = [] if opal.data_url is None else [{"url": opal.data_url, "topics": ["policy_data"], "dst_path": ""}]
    return json.dumps({"config": {"entries": entries}})
