"""Every name that a spec accepts fits the service that it is given to, with every suffix that is added on the way."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.foundation import LONGEST_ENVIRONMENT, FoundationSpec
from aeterna.contracts.naming import LONGEST_NAME, NAME
from aeterna.contracts.sizes import Size
from aeterna.stacks.foundation import Foundation
from aeterna.synth import testing
from aeterna.synth.registry import cloud
from fixtures.fix_foundation import CLOUDS
from fixtures.name_limits import LIMITS, NOT_OURS, names_in
from fixtures.resource_graph import Joined

if TYPE_CHECKING:
    from collections.abc import Callable

REGIONS = {
    "aws": ("ap-southeast-4", "ap-northeast-3", "eu-west-1", "me-central-1"),
    "azure": ("germanywestcentral", "southafricanorth", "westeurope", "eastus"),
    "gcp": ("northamerica-northeast1", "northamerica-northeast2", "europe-west4", "us-east1"),
}
"""By cloud, regions with the two of the longest names first."""

PARTS = ("network", "cluster", "pool", "database", "cache", "bucket", "catalog", "registry", "backup", "alerts")
SHORTEST = 2
"""A name of one letter is refused on one cloud, which the test of its network says."""
LONGEST_BUCKET = 63
ROOM = re.compile(r"at most (\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a user chooses that ends up in names."""

    cloud: str
    name: str
    owner: str
    regions: tuple[str, str]

    def spec(self) -> FoundationSpec:
        """Return a critical foundation of that name, which has every resource there is."""
        region, second = self.regions
        return FoundationSpec(
            name=self.name, owner=self.owner, region=region, recovery_region=second, size=Size.CRITICAL
        )


def longest(name: str) -> Choice:
    """Return the choice that makes the longest names."""
    first, second, *_ = REGIONS[name]
    return Choice(cloud=name, name="e" * LONGEST_ENVIRONMENT, owner="o" * LONGEST_ENVIRONMENT, regions=(first, second))


def shortest(name: str) -> Choice:
    """Return the choice that makes the shortest names; some services want at least three or six characters."""
    *_, first, second = REGIONS[name]
    return Choice(cloud=name, name="ab", owner="ab", regions=(first, second))


def choices() -> st.SearchStrategy[Choice]:
    """Return any choice that the contracts accept."""
    word = st.from_regex(NAME, fullmatch=True).filter(lambda text: SHORTEST <= len(text) <= LONGEST_ENVIRONMENT)
    return st.sampled_from(CLOUDS).flatmap(
        lambda name: st.builds(
            Choice,
            cloud=st.just(name),
            name=word,
            owner=word,
            regions=st.permutations(REGIONS[name]).map(lambda regions: (regions[0], regions[1])),
        )
    )


def too_long(name: str, spec: Callable[[], FoundationSpec]) -> list[tuple[str, str, str]]:
    """Return what the services of a cloud would refuse of the names in a foundation."""
    app = testing.app()
    foundation = Foundation(app, "prod", cloud=cloud(name), spec=spec())
    documents = testing.documents(app)
    made = Joined({layer: documents[stack.node.id] for layer, stack in foundation.stacks.items()})
    return [
        (*where, text)
        for where, text in names_in(made)
        if where in LIMITS[name] and not re.fullmatch(LIMITS[name][where], text)
    ]


# A failing example is not made smaller: that takes hundreds of syntheses.
@settings(max_examples=5, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(choice=choices())
@example(choice=longest("aws"))
@example(choice=longest("azure"))
@example(choice=longest("gcp"))
@example(choice=shortest("aws"))
@example(choice=shortest("azure"))
@example(choice=shortest("gcp"))
def test_every_name_of_a_foundation_that_is_accepted_fits_the_limit_of_its_service(choice: Choice) -> None:
    """The limits are those of the services' API references; what is generated has to fit them with its suffix."""
    assert too_long(choice.cloud, choice.spec) == []


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", CLOUDS)
def test_the_longest_name_of_a_part_fits_or_is_refused_with_the_length_that_fits(name: str, part: str) -> None:
    """A remedy that does not help is worse than none: what an error recommends is tried."""
    choice = longest(name).spec()
    length = LONGEST_BUCKET if part == "bucket" else LONGEST_NAME
    while (room := room_left(name, with_part(choice, part, "n" * length))) is not None:
        assert room < length
        length = room

    assert too_long(name, with_part(choice, part, "n" * length)) == []


def room_left(name: str, spec: Callable[[], FoundationSpec]) -> int | None:
    """Return the length that a refusal recommends, or None where nothing is refused."""
    try:
        Foundation(testing.app(), "prod", cloud=cloud(name), spec=spec())
    except InvalidSpecError as refused:
        return int(ROOM.findall(str(refused))[-1])
    return None


def with_part(spec: FoundationSpec, part: str, name: str) -> Callable[[], FoundationSpec]:
    """Return what makes the foundation with another name for one part; the contracts may refuse it as well."""
    if part == "pool":
        cluster = spec.cluster_spec()
        return lambda: replace(spec, cluster=replace(cluster, pools=(replace(cluster.pools[0], name=name),)))
    own: Any = getattr(spec, f"{part}_spec")()
    return lambda: replace(spec, **{part: replace(own, name=name)})


@pytest.mark.parametrize("name", CLOUDS)
def test_every_name_in_a_foundation_has_a_known_limit(name: str, critical_of: Callable[[str], Joined]) -> None:
    """A new resource brings its limit along, or its name is not checked at all."""
    unknown = {where for where, _ in names_in(critical_of(name))} - LIMITS[name].keys() - NOT_OURS[name]

    assert unknown == set()


@pytest.mark.parametrize("name", CLOUDS)
def test_every_known_limit_is_of_a_name_that_is_used(name: str, critical_of: Callable[[str], Joined]) -> None:
    """What checks nothing hides that a name moved to an argument that nothing checks."""
    used = {where for where, _ in names_in(critical_of(name))}

    assert {where for where in LIMITS[name] if where[0] not in {kind for kind, _ in used}} == set()


EVERYWHERE = {
    "azurerm_container_registry": "name",
    "azurerm_key_vault": "name",
    "azurerm_managed_redis": "name",
    "azurerm_postgresql_flexible_server": "name",
    "azurerm_resource_group": "name",
    "azurerm_storage_account": "name",
    "aws_iam_role": "name",
    "aws_s3_bucket": "bucket",
    "google_compute_firewall": "name",
    "google_compute_global_address": "name",
    "google_compute_global_forwarding_rule": "name",
    "google_compute_network": "name",
    "google_compute_route": "name",
    "google_dns_managed_zone": "name",
    "google_logging_project_exclusion": "name",
    "google_logging_project_sink": "name",
    "google_project_iam_custom_role": "role_id",
    "google_pubsub_topic": "name",
    "google_service_account": "account_id",
    "google_sql_database_instance": "name",
    "google_storage_bucket": "name",
}
"""What has one namespace for all regions, and the argument that is the name in it."""


def wanted_twice(made: Joined) -> list[tuple[str, str]]:
    """Return the names that two resources of a kind ask for."""
    wanted = [
        (kind, resource[argument])
        for kind, argument in EVERYWHERE.items()
        for resource in made.resources(kind).values()
        # A suffix that chance decides differs between any two resources.
        if argument in resource and "random_" not in resource[argument]
    ]
    return sorted({name for name in wanted if wanted.count(name) > 1})


def test_no_two_resources_want_the_same_name(critical: Joined) -> None:
    """Of two stacks that both make "prod" the second fails, halfway through its first apply."""
    assert wanted_twice(critical) == []


@pytest.mark.parametrize("name", CLOUDS)
def test_parts_that_all_have_the_name_of_the_environment_do_not_get_in_each_others_way(name: str) -> None:
    """A database called "prod" beside a cache called "prod" is what many would write."""
    spec = longest(name).spec()
    alike: dict[str, Any] = {
        part: replace(getattr(spec, f"{part}_spec")(), name=spec.name)
        for part in ("cluster", "database", "cache", "catalog", "registry", "backup", "alerts")
    }
    app = testing.app()
    foundation = Foundation(app, "prod", cloud=cloud(name), spec=replace(spec, **alike))
    documents = testing.documents(app)

    made = Joined({layer: documents[stack.node.id] for layer, stack in foundation.stacks.items()})

    assert wanted_twice(made) == []


LONGEST_GROUP_OF_NODES = 80


def test_the_group_that_aks_makes_for_its_nodes_has_a_name_that_fits() -> None:
    """It is made of three names, none of which is too long by itself."""
    spec = longest("azure").spec()
    long = with_part(
        spec, "cluster", "n" * (room_left("azure", with_part(spec, "cluster", "n" * LONGEST_NAME)) or LONGEST_NAME)
    )
    app = testing.app()
    foundation = Foundation(app, "prod", cloud=cloud("azure"), spec=long())

    stack = testing.documents(app)[foundation.stacks["cluster"].node.id]

    cluster, group = stack.only("azurerm_kubernetes_cluster"), stack.only("azurerm_resource_group")
    made = cluster.get("node_resource_group", f"MC_{group['name']}_{cluster['name']}_{cluster['location']}")
    assert len(made) <= LONGEST_GROUP_OF_NODES, made
