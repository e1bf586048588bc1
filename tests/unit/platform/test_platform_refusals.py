"""A platform that could not run is refused while it is written, with the place and the remedy."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.injection import Wish, parts
from aeterna.contracts.platform import PeopleSpec, TenantSpec
from aeterna.platform.access import reach
from aeterna.platform.platform import Platform
from aeterna.synth import testing
from aeterna.synth.app import TerraformStack
from fixtures.platform_sites import OPAL, spec
from fixtures.told_foundations import PEM, told_by

if TYPE_CHECKING:
    from aeterna.contracts.foundation import FoundationOutputs
    from aeterna.contracts.platform import PlatformSpec


def platform(wanted: PlatformSpec, told: FoundationOutputs) -> Platform:
    return Platform(TerraformStack(testing.app(), "prod-platform"), "Platform", wanted, foundation=told)


def test_a_platform_without_a_registry_is_refused() -> None:
    with pytest.raises(InvalidSpecError, match=r"prod-platform/Platform.*name the registry"):
        platform(spec(), replace(told_by("aws"), registry=None))


def test_a_registry_of_the_customers_own_takes_the_place_of_the_foundations() -> None:
    made = platform(spec(registry="mirror.example.com/aeterna"), replace(told_by("aws"), registry=None))

    assert made.site.image("threads") == "mirror.example.com/aeterna/threads:0.3.0"


def test_a_catalog_that_does_not_tell_its_address_is_refused() -> None:
    told = told_by("aws")

    with pytest.raises(InvalidSpecError, match="apply the foundation of this release"):
        platform(spec(), replace(told, catalog=replace(told.catalog, address=None)))


def test_a_cluster_that_does_not_tell_how_to_log_in_is_refused() -> None:
    cluster = replace(told_by("aws").cluster, login=())

    with pytest.raises(InvalidSpecError, match="apply the foundation of this release"):
        reach(TerraformStack(testing.app(), "prod-platform"), cluster)


@pytest.mark.parametrize("service", ["threads", "policies"])
def test_a_service_without_a_login_at_its_database_is_refused(service: str) -> None:
    told = told_by("aws")
    identities = {name: each for name, each in told.identities.items() if name != service}

    with pytest.raises(InvalidSpecError, match=f"'{service}' has 0 logins"):
        platform(spec(), replace(told, identities=identities))


def test_two_logins_of_one_service_are_refused_rather_than_one_of_them_chosen() -> None:
    told = told_by("aws")
    threads = replace(told.identities["threads"], logins={"one": told.cluster.name, "two": told.cluster.name})

    with pytest.raises(InvalidSpecError, match="'threads' has 2 logins"):
        platform(spec(), replace(told, identities={**told.identities, "threads": threads}))


def test_opal_without_a_login_at_the_cache_is_refused_and_without_opal_nobody_asks() -> None:
    told = told_by("aws")
    identities = {name: each for name, each in told.identities.items() if name != "opal"}
    poorer = replace(told, identities=identities)

    platform(spec(), poorer)

    with pytest.raises(InvalidSpecError, match="'opal' has 0 logins"):
        platform(spec(opal=OPAL), poorer)


def test_a_database_that_was_given_is_migrated_by_whoever_owns_it() -> None:
    """There is no identity that may change it, and a Job without one would fail for ever."""
    told = told_by("aws")
    given = replace(told, identities={name: each for name, each in told.identities.items() if name != "migrate"})

    document = testing.synthesized(reached(given))

    assert document.resources("kubernetes_job_v1") == {}


def reached(told: FoundationOutputs) -> TerraformStack:
    """Return a stack with a platform and its providers."""
    stack = TerraformStack(testing.app(), "prod-platform")
    reach(stack, told.cluster)
    Platform(stack, "Platform", spec(database_authority=PEM), foundation=told)
    return stack


def test_no_token_is_in_the_providers_but_the_command_that_asks_for_one() -> None:
    document = testing.synthesized(reached(told_by("azure")))

    (kubernetes,) = document.json["provider"]["kubernetes"]
    (helm,) = document.json["provider"]["helm"]

    assert set(kubernetes) == {"host", "cluster_ca_certificate", "exec"}
    (command,) = kubernetes["exec"]
    assert command == helm["kubernetes"]["exec"]
    assert (command["command"], command["args"][0]) == ("kubelogin", "get-token")


@pytest.mark.parametrize("authority", [None, PEM])
def test_certificates_are_looked_at_before_a_pod_has_to_trust_them(authority: str | None) -> None:
    """The contract may hold an address in their place, and a file with an address in it proves no server."""
    told = told_by("aws")
    stack = TerraformStack(testing.app(), "prod-platform")
    reach(stack, told.cluster)
    Platform(stack, "Platform", spec(database_authority=authority), foundation=told)

    document = testing.synthesized(stack)

    (found,) = (
        each
        for each in document.resources("kubernetes_config_map_v1").values()
        if each["metadata"]["name"] == "aeterna-database-trust"
    )
    assert found["data"]["ca.pem"] == (told.database.certificate_authority if authority is None else authority)
    (condition,) = found["lifecycle"]["postcondition"]
    assert condition["condition"] == '${startswith(self.data["ca.pem"], "-----BEGIN CERTIFICATE-----")}'


def test_a_tenant_may_have_another_quota_than_the_sizes() -> None:
    tenants = (
        TenantSpec(name="acme", namespaces=("acme",), quota={"pods": "7"}),
        TenantSpec(name="umbrella", namespaces=("umbrella",)),
    )
    stack = TerraformStack(testing.app(), "prod-platform")
    reach(stack, told_by("aws").cluster)
    Platform(stack, "Platform", spec(tenants=tenants), foundation=told_by("aws"))

    quotas = {
        each["metadata"]["namespace"].rpartition("-")[2].partition("_")[0]: each["spec"]["hard"]
        for each in testing.synthesized(stack).resources("kubernetes_resource_quota_v1").values()
    }

    assert {name: (hard["pods"], hard["requests.cpu"]) for name, hard in quotas.items()} == {
        "acme": ("7", "100"),
        "umbrella": ("200", "100"),
    }


def test_pods_show_tokens_for_the_audience_that_services_expect() -> None:
    """There is one audience: that of an identity provider which cannot write ours, if need be."""
    made = platform(
        spec(people=PeopleSpec(issuer="https://id.example", jwks="https://id.example/keys", audience="api://1f")),
        told_by("azure"),
    )

    given = parts(Wish(policy=True), made.site.installation(), tenant="acme")

    (audience,) = (
        source["serviceAccountToken"]["audience"]
        for volume in cast("list[Any]", given.volumes)
        for source in volume.get("projected", {}).get("sources", [])
    )
    assert audience == "api://1f"


def test_outputs_say_where_the_services_are_and_whose_the_namespaces_are() -> None:
    outputs = platform(spec(), told_by("gcp")).outputs

    assert outputs.threads_url == "https://threads.aeterna.svc:8082"
    assert outputs.gateway_url == "https://aeterna.example.com"
    assert outputs.tenants == {"acme-blue": "acme", "acme-green": "acme", "umbrella": "umbrella"}
