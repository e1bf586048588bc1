"""What a foundation tells: references to what was made, never copies of what was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from aeterna.contracts.foundation import FoundationOutputs
from fixtures.fix_foundation import CLOUDS
from fixtures.resource_graph import references

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeterna.synth.testing import Json
    from fixtures.resource_graph import Joined


def login(*words: str | None) -> dict[str, str]:
    """Return the words of a cluster's login that are the same for every cluster; None is the place of another one."""
    return {f"cluster.login[{place}]": word for place, word in enumerate(words) if word is not None}


FIXED: dict[str, dict[str, str]] = {
    "aws": {
        "database.certificate_authority": "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem",
        "catalog.properties.rest.sigv4-enabled": "true",
        "catalog.properties.rest.signing-name": "glue",
        # A role of PostgreSQL: no resource has it.
        **{f"identities.{name}.logins.prod-threads": "aeterna" for name in ("policies", "threads")},
        **login("aws", "eks", "get-token", "--cluster-name", None, "--region"),
        "cluster.identity_blocks[0]": "169.254.170.23/32",
    },
    "azure": {
        # Where a server of the customer's own is expected: there is no resource to ask.
        "catalog.namespace": "prod_graph",
        "catalog.uri": "http://catalog:8181/catalog",
        "catalog.warehouse": "prod-graph",
        **login("kubelogin", "get-token", "--server-id", "6dae42f8-", "--login", "azurecli"),
        "database.certificate_authority": "-----BEGIN CERTIFICATE-----",
        "database.port": "5432",
        **{
            f"identities.{name}.pod_labels.azure.workload.identity/use": "true"
            for name in ("catalog", "graph-api", "migrate", "opal", "policies", "threads")
        },
        "recovery.database.port": "5432",
    },
    "gcp": {
        "catalog.properties.header.X-Iceberg-Access-Delegation": "vended-credentials",
        "catalog.uri": "https://biglake.googleapis.com/iceberg/v1/restcatalog",
        "database.certificate_authority": "https://storage.googleapis.com/cloudsql-ca-bundles/global.pem",
        "database.port": "5432",
        **login("gke-gcloud-auth-plugin"),
        "cluster.identity_blocks[0]": "169.254.169.254/32",
        "identities.opal.logins.prod-cache": "default",
        "recovery.database.port": "5432",
    },
}
"""By cloud, what no resource of it has as an attribute because it is the same for everybody: how the text begins."""

OURS = {"version", "cloud", "cache.clustered"}
"""What the contract itself adds."""


@pytest.mark.parametrize("cloud", CLOUDS)
def test_every_value_of_the_contract_is_an_attribute_and_so_waits_for_its_resource(
    cloud: str, critical_of: Callable[[str], Joined]
) -> None:
    """A copy of an input is there before the resource is: whoever reads it finds a name that leads nowhere."""
    contract = critical_of(cloud).layers["cluster"].outputs()["foundation"]["value"]

    fixed = {path: value for path, value in leaves(contract) if not references(value)}

    strange = {path: value for path, value in fixed.items() if not str(value).startswith(FIXED[cloud].get(path, "\0"))}
    assert strange.keys() <= OURS
    assert FIXED[cloud].keys() <= fixed.keys()
    assert fixed["version"] == FoundationOutputs.version
    assert fixed["cloud"] == cloud


def test_what_the_first_layer_tells_of_the_states_is_of_resources_as_well(critical: Joined) -> None:
    told = critical.layers["bootstrap"].outputs()["state"]["value"]

    assert set(told) == {"bucket", "key"}
    assert all(references(value) for value in told.values())


def leaves(value: Json, path: str = "") -> list[tuple[str, Json]]:
    """Return every scalar in a tree of JSON with its dotted path."""
    if isinstance(value, dict):
        entries = cast("dict[str, Json]", value)
        return [found for key, item in entries.items() for found in leaves(item, f"{path}.{key}".lstrip("."))]
    if isinstance(value, list):
        items = cast("list[Json]", value)
        return [found for index, item in enumerate(items) for found in leaves(item, f"{path}[{index}]")]
    return [(path, value)]
