"""The laws of a foundation hold for every choice of size and parts, and not only with everything on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.foundations import Case, pairwise, synthesize
from fixtures.resource_graph import Joined
from synth import test_foundation_encryption as encryption
from synth import test_foundation_graph as graph
from synth import test_foundation_on_aws as on_aws
from synth import test_foundation_on_azure as on_azure
from synth import test_foundation_on_gcp as on_gcp

if TYPE_CHECKING:
    from collections.abc import Callable

    Law = Callable[[Joined], None]

EVERYWHERE: tuple[Law, ...] = (
    graph.test_nothing_waits_for_itself_inside_a_stack,
    graph.test_nothing_waits_for_itself_across_the_stacks,
    graph.test_a_layer_reads_only_what_was_applied_before_it,
    graph.test_what_acts_as_an_identity_comes_after_everything_that_the_identity_may_do,
    encryption.test_whatever_takes_a_key_of_the_customers_has_one,
    encryption.test_every_key_that_is_named_is_one_of_the_foundation,
    encryption.test_what_stands_in_a_region_is_under_a_key_of_that_region,
)

ON: dict[str, tuple[Law, ...]] = {
    "aws": (
        on_aws.test_every_bucket_says_how_it_is_encrypted,
        on_aws.test_every_log_group_is_named_by_the_policy_of_its_key,
        on_aws.test_a_database_follows_its_log_groups,
        on_aws.test_nothing_of_it_is_reachable_from_the_internet,
    ),
    "azure": (
        on_azure.test_whatever_is_under_a_key_waits_until_its_identity_may_use_that_key,
        on_azure.test_a_workload_has_the_roles_that_it_needs_on_single_resources_and_no_others,
        on_azure.test_nothing_of_it_is_reachable_from_the_internet,
    ),
    "gcp": (
        on_gcp.test_whatever_is_under_a_key_waits_until_its_service_may_use_that_key,
        on_gcp.test_a_database_follows_the_private_way_to_it,
        on_gcp.test_a_workload_has_the_roles_that_it_needs_on_single_resources_and_no_others,
        on_gcp.test_nothing_of_it_is_reachable_from_the_internet,
    ),
}


@pytest.mark.parametrize("case", pairwise(), ids=str)
def test_the_laws_hold_for_every_pair_of_choices(case: Case) -> None:
    foundation = Joined(synthesize(case))

    for law in (*EVERYWHERE, *ON[case.cloud]):
        law(foundation)
