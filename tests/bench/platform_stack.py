"""Synthesizes the whole platform on the outputs of a foundation: what `bench_platform` measures.

usage: platform_stack.py FOLDER TENANTS guarded|unguarded

The foundation is there already, as it is for whoever applies the platform, so its outputs are plain values.
"""

from __future__ import annotations

import sys
from dataclasses import replace

from aeterna.contracts.bucket import BucketOutputs
from aeterna.contracts.identity import IdentityOutputs
from aeterna.contracts.late import Late
from aeterna.contracts.platform import TenantSpec
from aeterna.contracts.sizes import Size
from aeterna.platform.access import reach
from aeterna.platform.platform import Platform
from aeterna.synth.app import App, TerraformStack
from aeterna.synth.aspects import attach
from aeterna.synth.backends import keep_beside
from aeterna.synth.rules.guardrails import Guardrails
from fixtures.platform_sites import OPAL, foundation, spec

ACCOUNTS = {
    "graph-api": None,
    "threads": "prod-threads",
    "policies": "prod-threads",
    "migrate": "prod-threads",
    "opal": "prod-cache",
}
"""Each service account with the store that it logs in to."""

AUTHORITY = "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUB\n-----END CERTIFICATE-----\n"


def main(folder: str, tenants: str, guarded: str) -> None:
    """Write one stack with everything in it, at the size that has the most."""
    app = App(outdir=folder)
    stack = TerraformStack(app, "platform")
    keep_beside(stack)
    if guarded == "guarded":
        attach(stack, Guardrails(size=Size.CRITICAL))
    bare = foundation()
    deployed = replace(
        bare,
        cluster=replace(bare.cluster, login=(Late("aws"), Late("eks"), Late("get-token"))),
        catalog=replace(bare.catalog, address=Late("https://catalog.internal"), files=Late("s3://graph")),
        thread_bucket=BucketOutputs(name=Late("parts"), uri=Late("s3://parts"), objects=Late("s3://parts/threads")),
        identities={
            name: IdentityOutputs(
                principal=Late(name), annotations={}, logins={} if store is None else {store: Late(name)}
            )
            for name, store in ACCOUNTS.items()
        },
    )
    reach(stack, deployed.cluster)
    wanted = spec(
        size=Size.CRITICAL,
        opal=OPAL,
        database_authority=AUTHORITY,
        tenants=tuple(TenantSpec(name=f"t{number}", namespaces=(f"t{number}",)) for number in range(int(tenants))),
    )
    Platform(stack, "Platform", wanted, foundation=deployed)
    app.synth()


if __name__ == "__main__":
    main(*sys.argv[1:])
