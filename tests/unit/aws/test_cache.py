"""What a Valkey cache on ElastiCache is, read from what Terraform would be given."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aeterna.aws.cache import ElastiCacheValkey
from aeterna.aws.cache_machine import FOR_DATA, NODES, node_type
from aeterna.aws.policy_document import document
from aeterna.contracts.cache import CacheSpec
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.naming import NAME
from aeterna.synth.app import TerraformOutput
from aeterna.synth.testing import Document, Json, synthesized
from fixtures.customer_stack import CLUSTER, CustomerStack

LONGEST = 32
"""The longest name that leaves room for the user ``aeterna``."""


@pytest.fixture(scope="module")
def synthesis() -> Document:
    stack = CustomerStack()
    cache = ElastiCacheValkey(
        stack, "Policy", CacheSpec(name="policy"), network=stack.network, key=stack.key, clients=[CLUSTER]
    )
    TerraformOutput(stack, "access", value=document(cache.access()))
    TerraformOutput(stack, "host", value=cache.outputs.host)
    TerraformOutput(stack, "user", value=cache.outputs.users["aeterna"])
    return synthesized(stack)


@pytest.fixture(scope="module")
def group(synthesis: Document) -> Json:
    return synthesis.only("aws_elasticache_replication_group")


def alone(spec: CacheSpec) -> Document:
    stack = CustomerStack()
    ElastiCacheValkey(stack, "Policy", spec, network=stack.network, key=stack.key)
    return stack.document()


def test_a_cache_is_encrypted_with_the_customers_key_at_rest_and_speaks_only_tls(
    group: Json, synthesis: Document
) -> None:
    (key,) = synthesis.resources("aws_kms_key")

    assert group["at_rest_encryption_enabled"] == "true"
    assert group["kms_key_id"] == f"${{aws_kms_key.{key}.arn}}"
    assert group["transit_encryption_enabled"] is True
    assert group["transit_encryption_mode"] == "required"


def test_the_engine_is_named_because_its_default_is_another(group: Json, synthesis: Document) -> None:
    assert group["engine"] == "valkey"
    assert group["engine_version"].startswith("8.")
    assert synthesis.only("aws_elasticache_parameter_group")["family"] == "valkey8"


def test_a_minor_version_that_the_service_took_by_itself_does_not_replace_the_cache(group: Json) -> None:
    """The provider reads the version that runs, and makes a cache anew whose plan names an older one."""
    assert group["auto_minor_version_upgrade"] == "true"
    assert "engine_version" in group["lifecycle"]["ignore_changes"]


def test_the_provider_gets_the_description_it_requires(group: Json) -> None:
    assert group["description"]


def test_every_user_logs_in_with_iam_under_a_name_that_is_its_id(synthesis: Document) -> None:
    """IAM logins are refused where the two differ."""
    user = synthesis.only("aws_elasticache_user")

    assert user["authentication_mode"] == {"type": "iam"}
    assert user["user_id"] == user["user_name"] == "policy-aeterna"
    assert not {"passwords", "passwords_wo", "no_password_required"} & user.keys()


def test_a_connection_that_does_not_log_in_can_do_nothing(group: Json, synthesis: Document) -> None:
    """There is a user group, no user called default in it, and no shared token beside it."""
    users = synthesis.only("aws_elasticache_user_group")

    assert users["engine"] == "valkey"
    assert len(users["user_ids"]) == 1
    assert group["user_group_ids"][0].startswith("${aws_elasticache_user_group.")
    assert not {user["user_name"] for user in synthesis.resources("aws_elasticache_user").values()} & {"default"}
    assert not {"auth_token", "auth_token_wo"} & group.keys()


def test_a_user_can_use_data_but_not_reconfigure_or_empty_the_server(synthesis: Document) -> None:
    rules = synthesis.only("aws_elasticache_user")["access_string"].split()

    assert rules[0] == "on"
    assert {"-@admin", "-@dangerous"} <= set(rules)
    assert rules.index("+@all") < rules.index("-@admin")
    assert "nopass" not in rules


def test_a_lost_zone_is_survived_by_a_copy_in_another(group: Json) -> None:
    assert group["automatic_failover_enabled"] is True
    assert group["multi_az_enabled"] is True
    assert group["num_cache_clusters"] == 2


def test_a_cache_without_copies_does_not_ask_for_a_failover_that_the_service_would_refuse() -> None:
    group = alone(CacheSpec(name="policy", replicas=0)).only("aws_elasticache_replication_group")

    assert group["automatic_failover_enabled"] is False
    assert group["multi_az_enabled"] is False
    assert group["num_cache_clusters"] == 1


def test_both_logs_go_to_encrypted_groups_that_exist_first(group: Json, synthesis: Document) -> None:
    groups = synthesis.resources("aws_cloudwatch_log_group")
    delivered = {log["log_type"]: log["destination"] for log in group["log_delivery_configuration"]}

    assert delivered.keys() == {"slow-log", "engine-log"}
    assert set(delivered.values()) == {f"${{aws_cloudwatch_log_group.{name}.name}}" for name in groups}
    assert all(found["kms_key_id"].startswith("${aws_kms_key.") for found in groups.values())
    assert all(found["name"].startswith("/aws/vendedlogs/") for found in groups.values())


def test_only_the_clients_security_group_is_let_in(synthesis: Document) -> None:
    rule = synthesis.only("aws_vpc_security_group_ingress_rule")

    assert rule["referenced_security_group_id"] == CLUSTER.client_security_group_id
    assert (rule["from_port"], rule["to_port"]) == (6379, 6379)


def test_a_workload_may_connect_to_this_cache_as_its_own_users_only(synthesis: Document) -> None:
    (statement,) = json.loads(synthesis.outputs()["access"]["value"])["Statement"]
    cache, user = statement["Resource"]

    assert statement["Action"] == ["elasticache:Connect"]
    assert re.fullmatch(r"\$\{aws_elasticache_replication_group\.\w+\.arn\}", cache)
    assert re.fullmatch(r"\$\{aws_elasticache_user\.[\w-]+\.arn\}", user)


def test_outputs_are_attributes_so_that_who_reads_them_waits_for_the_cache(synthesis: Document) -> None:
    outputs = synthesis.outputs()

    assert re.search(r"replication_group\.\w+\.primary_endpoint_address", outputs["host"]["value"])
    assert re.search(r"aws_elasticache_user\.[\w-]+\.user_name", outputs["user"]["value"])


def test_a_permission_for_a_user_that_the_cache_does_not_have_is_refused() -> None:
    stack = CustomerStack()
    cache = ElastiCacheValkey(stack, "Policy", CacheSpec(name="policy"), network=stack.network, key=stack.key)

    with pytest.raises(InvalidSpecError, match="no user 'opal'"):
        cache.connect_statements("opal")


def test_snapshots_that_are_not_wanted_are_not_left_behind_either() -> None:
    group = alone(CacheSpec(name="policy", backup_days=0)).only("aws_elasticache_replication_group")

    assert group["snapshot_retention_limit"] == 0
    assert "final_snapshot_identifier" not in group


@settings(max_examples=15, deadline=None)
@given(name=st.from_regex(NAME, fullmatch=True).filter(lambda name: len(name) <= LONGEST) | st.just("c" * LONGEST))
def test_a_name_that_is_accepted_fits_every_resource_that_is_named_after_it(name: str) -> None:
    synthesis = alone(CacheSpec(name=name))

    names = [
        synthesis.only("aws_elasticache_replication_group")["replication_group_id"],
        synthesis.only("aws_elasticache_user")["user_id"],
        synthesis.only("aws_elasticache_user_group")["user_group_id"],
    ]
    assert all(re.fullmatch(r"[a-z](?:-?[a-z0-9]){0,39}", found) and len(found) <= 40 for found in names)


def test_a_name_that_leaves_no_room_for_its_users_is_refused_with_the_length_that_fits() -> None:
    with pytest.raises(InvalidSpecError, match=f"at most {LONGEST} characters"):
        alone(CacheSpec(name="c" * (LONGEST + 1)))


@given(memory=st.integers(1, 310))
def test_a_node_has_the_memory_for_data_that_was_asked_for_and_no_smaller_one_has(memory: int) -> None:
    node = node_type(CacheSpec(name="policy", memory_gib=memory))

    assert NODES[node] * FOR_DATA >= memory
    assert all(smaller * FOR_DATA < memory for smaller in NODES.values() if smaller < NODES[node])
