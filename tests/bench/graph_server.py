"""The graph API as it is served, with a policy that allows everything and tokens that are the names of tenants."""

from __future__ import annotations

import sys
from datetime import timedelta

from aeterna.api.main import application
from aeterna.api.settings import ApiSettings
from aeterna.service.caller import Caller, TenantId
from aeterna.service.lifecycle import serve
from aeterna.service.testing import FakeDecisionPoint, FakeTokenVerifier

TENANT = "bench"


def main(folder: str, port: int) -> None:
    """Serve the graph in a folder until told to stop."""
    caller = Caller(tenant=TenantId(TENANT), subject="ada", kind="User", roles=frozenset({"admin"}), token_id=None)
    settings = ApiSettings.model_validate(
        {
            "catalog_uri": f"sqlite:///{folder}/catalog.db",
            "warehouse": f"{folder}/warehouse",
            "issuer": "urn:bench",
            "jwks": "unused.json",
            "policy_url": "unix:/unused",
        }
    )
    app = application(settings, verifier=FakeTokenVerifier({TENANT: caller}), decisions=FakeDecisionPoint())
    serve(app, host="127.0.0.1", port=port, drain_timeout=timedelta(seconds=5))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
