"""Breaks a foundation in one place at a time: a law that still holds then would have said nothing."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import pytest

from aeterna.synth.testing import Document
from fixtures.resource_graph import Joined, kind_of
from synth import test_foundation_encryption as encryption
from synth import test_foundation_graph as graph
from synth import test_foundation_names as names
from synth import test_foundation_on_aws as on_aws_laws
from synth import test_foundation_on_azure as on_azure_laws
from synth import test_foundation_on_gcp as on_gcp_laws

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeterna.synth.testing import Json

    Law = Callable[[Joined], None]
    Change = Callable[[str, Json], None]


def changed(foundation: Joined, change: Change) -> Joined:
    """Return the foundation with a change to the arguments of its resources, which are given by address."""
    layers: dict[str, Document] = {}
    for layer, document in foundation.layers.items():
        made = copy.deepcopy(dict(document.json))
        for kind, named in made.get("resource", {}).items():
            for name, arguments in named.items():
                change(f"{layer}/{kind}.{name}", arguments)
        layers[layer] = Document(json=made, text="")
    return Joined(layers)


def forget_to_wait(_: str, arguments: Json) -> None:
    arguments.pop("depends_on", None)


def without(kind: str, argument: str) -> Change:
    def change(address: str, arguments: Json) -> None:
        if kind_of(address) == kind:
            arguments.pop(argument, None)

    return change


def put(kind: str, argument: str, value: Json, *, layer: str = "") -> Change:
    def change(address: str, arguments: Json) -> None:
        if kind_of(address) == kind and address.startswith(layer):
            arguments[argument] = value

    return change


BROKEN: list[tuple[str, Law, Change]] = [
    ("aws", graph.test_what_acts_as_an_identity_comes_after_everything_that_the_identity_may_do, forget_to_wait),
    ("azure", graph.test_what_acts_as_an_identity_comes_after_everything_that_the_identity_may_do, forget_to_wait),
    ("azure", on_azure_laws.test_whatever_is_under_a_key_waits_until_its_identity_may_use_that_key, forget_to_wait),
    ("gcp", on_gcp_laws.test_whatever_is_under_a_key_waits_until_its_service_may_use_that_key, forget_to_wait),
    ("gcp", on_gcp_laws.test_what_is_used_of_a_service_follows_its_being_switched_on, forget_to_wait),
    ("aws", on_aws_laws.test_a_database_follows_its_log_groups, forget_to_wait),
    (
        "aws",
        encryption.test_whatever_takes_a_key_of_the_customers_has_one,
        without("aws_sns_topic", "kms_master_key_id"),
    ),
    (
        "azure",
        encryption.test_whatever_takes_a_key_of_the_customers_has_one,
        without("azurerm_managed_redis", "customer_managed_key"),
    ),
    (
        "gcp",
        encryption.test_whatever_takes_a_key_of_the_customers_has_one,
        without("google_pubsub_topic", "kms_key_name"),
    ),
    (
        "aws",
        encryption.test_what_keeps_data_in_several_places_has_a_key_for_each,
        without("aws_db_instance", "performance_insights_kms_key_id"),
    ),
    (
        "gcp",
        encryption.test_every_key_that_is_named_is_one_of_the_foundation,
        put("google_sql_database_instance", "encryption_key_name", "${var.their_key}"),
    ),
    (
        "aws",
        on_aws_laws.test_every_log_group_is_named_by_the_policy_of_its_key,
        put("aws_cloudwatch_log_group", "name", "/other"),
    ),
    (
        "aws",
        on_aws_laws.test_nothing_of_it_is_reachable_from_the_internet,
        put("aws_db_instance", "publicly_accessible", value=True),
    ),
    ("aws", on_aws_laws.test_what_holds_data_refuses_to_be_destroyed, without("aws_kms_key", "lifecycle")),
    (
        "azure",
        on_azure_laws.test_each_workload_is_trusted_for_one_exact_service_account_of_the_cluster,
        put("azurerm_federated_identity_credential", "subject", "system:serviceaccount:aeterna:*"),
    ),
    (
        "azure",
        on_azure_laws.test_a_workload_has_the_roles_that_it_needs_on_single_resources_and_no_others,
        put("azurerm_role_assignment", "scope", "/subscriptions/1", layer="cluster/"),
    ),
    (
        "azure",
        on_azure_laws.test_nobody_owns_or_administers_anything,
        put("azurerm_role_assignment", "role_definition_name", "Owner"),
    ),
    (
        "azure",
        on_azure_laws.test_what_holds_data_refuses_to_be_destroyed,
        put("azurerm_key_vault", "purge_protection_enabled", value=False),
    ),
    (
        "gcp",
        on_gcp_laws.test_each_workload_is_trusted_for_one_exact_service_account_of_the_cluster,
        put("google_service_account_iam_member", "member", "serviceAccount:p.svc.id.goog[aeterna/*]"),
    ),
    (
        "gcp",
        on_gcp_laws.test_nobody_is_everybody_and_nobody_has_a_basic_role,
        put("google_storage_bucket_iam_member", "member", "allUsers"),
    ),
    (
        "gcp",
        on_gcp_laws.test_a_workload_has_the_roles_that_it_needs_on_single_resources_and_no_others,
        without("google_project_iam_member", "condition"),
    ),
    ("gcp", on_gcp_laws.test_what_holds_data_refuses_to_be_destroyed, without("google_storage_bucket", "lifecycle")),
    ("gcp", names.test_no_two_resources_want_the_same_name, put("google_compute_network", "name", "prod")),
]


@pytest.mark.parametrize(
    ("cloud", "law", "change"), BROKEN, ids=[f"{cloud}-{law.__name__}" for cloud, law, _ in BROKEN]
)
def test_a_law_notices_the_mistake_that_it_is_about(
    cloud: str, law: Law, change: Change, critical_of: Callable[[str], Joined]
) -> None:
    with pytest.raises((AssertionError, KeyError)):
        law(changed(critical_of(cloud), change))


def test_a_change_that_changes_nothing_breaks_no_law(critical_of: Callable[[str], Joined]) -> None:
    """Otherwise the tests above could pass because the copy is broken."""
    for cloud, law, _ in BROKEN:
        law(changed(critical_of(cloud), lambda _address, _arguments: None))


def test_a_reference_back_is_noticed(critical_of: Callable[[str], Joined]) -> None:
    backwards = Joined(dict(reversed(list(critical_of("aws").layers.items()))))

    with pytest.raises(AssertionError):
        graph.test_a_foundation_has_its_layers_in_the_order_in_which_they_are_applied(backwards)


def test_a_key_of_another_region_is_noticed(critical_of: Callable[[str], Joined]) -> None:
    foundation = critical_of("aws")
    (first,) = (
        each for address, each in foundation.resources("aws_db_instance").items() if address.startswith("data/")
    )
    broken = changed(foundation, put("aws_db_instance", "kms_key_id", first["kms_key_id"], layer="recovery/"))

    with pytest.raises(AssertionError):
        encryption.test_what_stands_in_a_region_is_under_a_key_of_that_region(broken)
