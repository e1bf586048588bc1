"""The thread store: conversations and tasks in PostgreSQL, and their large parts in a bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.platform.database import connection, trust
from aeterna.platform.environment import prefixed, service
from aeterna.platform.names import PORTS, PUSH_KEYS, THREADS, WORKLOADS_CONFIG, tls_secret
from aeterna.platform.priorities import SERVING
from aeterna.platform.program import Probed, Program
from aeterna.platform.serving import Part, Serving
from aeterna.platform.volumes import TLS, WORKLOADS, cluster_access, config, scratch, secret

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct

    from aeterna.platform.site import Site
    from aeterna.synth._cdk import ITerraformDependable

PUSH = "/etc/aeterna/push"
PREFIX = "AETERNA_THREADS_"


class Threads(Serving):
    """The thread store. ``digest`` is of the files that its pods read only when they start."""

    def __init__(
        self, scope: Construct, id_: str, site: Site, *, digest: str, after: Sequence[ITerraformDependable] = ()
    ) -> None:
        part = Part(name=THREADS, programs=(_program(site),), priority=SERVING, digest=digest)
        super().__init__(scope, id_, part, site=site, after=after)


def retention(site: Site) -> dict[str, str]:
    """Return where large parts are, without a prefix; without a bucket they stay in the database."""
    bucket = site.foundation.thread_bucket
    return {} if bucket is None or bucket.objects is None else {"OBJECTS": f"{bucket.objects}/threads"}


def _program(site: Site) -> Program:
    return Program(
        name=THREADS,
        image=site.image(THREADS),
        resources=site.scale(THREADS).resources,
        settings=prefixed(
            PREFIX,
            {
                **service(site),
                **connection(site, THREADS),
                **retention(site),
                "PUSH_SECRETS_KEY_FILE": f"{PUSH}/secrets-keys",
                "PUSH_SIGNING_KEY_FILE": f"{PUSH}/signing-key.pem",
            },
        ),
        mounts=(
            scratch("tmp", "/tmp", "256Mi"),  # noqa: S108 - a volume of the pod's own
            config("workloads", WORKLOADS, WORKLOADS_CONFIG),
            secret("tls", TLS, tls_secret(THREADS)),
            secret("push", PUSH, PUSH_KEYS),
            trust(),
            cluster_access(),
        ),
        ports={"https": PORTS[THREADS]},
        probed=Probed(port=PORTS[THREADS]),
    )
