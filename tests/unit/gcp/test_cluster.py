"""What a GKE cluster is, read from what Terraform would be given."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from aeterna.contracts.cluster import ClusterSpec, NodePoolSpec, Taint, TaintEffect
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.network import NetworkSpec
from aeterna.gcp.cluster import GkeCluster
from aeterna.gcp.cluster_settings import GkeOptions
from aeterna.gcp.keys import GcpKey
from aeterna.synth.app import TerraformOutput
from fixtures.gcp_stack import KEY, GoogleStack, named, waits_for

if TYPE_CHECKING:
    from aeterna.synth.testing import Document, Json

MIXED = NodePoolSpec(name="mixed", machines=("n2-standard-4", "e2-standard-4"))
SPEC = ClusterSpec(name="prod", administrators=("group:platform@example.com",), api_clients=("10.9.0.0/24",))


@pytest.fixture(scope="module")
def synthesis() -> Document:
    stack = GoogleStack()
    cluster = stack.made_cluster(SPEC)
    for name in ("endpoint", "issuer", "certificate_authority", "version"):
        TerraformOutput(stack, name, value=getattr(cluster.outputs, name))
    return stack.document()


@pytest.fixture(scope="module")
def plane(synthesis: Document) -> Json:
    return synthesis.only("google_container_cluster")


def with_options(options: GkeOptions) -> Json:
    stack = GoogleStack()
    GkeCluster(stack, "Cluster", SPEC, place=stack.place, network=stack.network, key=stack.key, options=options)
    return stack.document().only("google_container_cluster")


def test_nothing_outside_the_network_reaches_the_api(plane: Json) -> None:
    """The control plane's own name answers the internet as soon as outside traffic is allowed, if only to refuse."""
    assert plane["private_cluster_config"] == {"enable_private_endpoint": True, "enable_private_nodes": True}
    assert plane["control_plane_endpoints_config"]["dns_endpoint_config"] == {"allow_external_traffic": False}
    allowed = plane["master_authorized_networks_config"]
    assert allowed["private_endpoint_enforcement_enabled"] is True
    assert allowed["gcp_public_cidrs_access_enabled"] is False
    assert [block["cidr_block"] for block in allowed["cidr_blocks"]] == ["10.9.0.0/24"]


def test_a_pipeline_outside_the_network_can_be_let_in_by_name_and_by_iam_alone() -> None:
    opened = with_options(GkeOptions(dns_endpoint=True))

    assert opened["control_plane_endpoints_config"]["dns_endpoint_config"]["allow_external_traffic"] is True
    assert opened["private_cluster_config"]["enable_private_endpoint"] is True


def test_secrets_are_under_the_customers_key_before_the_first_is_written(plane: Json, synthesis: Document) -> None:
    """Without the grant beforehand the cluster is made and then breaks, or is not made at all."""
    assert plane["database_encryption"]["state"] == "ENCRYPTED"
    assert "data.google_kms_crypto_key" in plane["database_encryption"]["key_name"]
    grant = named(synthesis.resources("google_kms_crypto_key_iam_member"), "SecretsKeyUse")
    assert "@container-engine-robot." in grant["member"]
    assert waits_for(plane, "SecretsKeyUse")


def test_the_first_pool_which_is_removed_again_is_under_the_key_and_no_default_account_either(plane: Json) -> None:
    """A policy that wants the customer's key on every disk refuses the cluster otherwise."""
    assert plane["remove_default_node_pool"] is True
    assert "data.google_kms_crypto_key" in plane["node_config"]["boot_disk_kms_key"]
    assert "google_service_account" in plane["node_config"]["service_account"]


def test_the_removed_pool_never_replaces_the_cluster(plane: Json) -> None:
    """The provider reads the pools of ours into the same argument, where any difference replaces the cluster."""
    assert {"node_config", "node_pool", "initial_node_count"} <= set(plane["lifecycle"]["ignore_changes"])


def test_the_order_in_which_gke_returns_what_it_logs_and_measures_is_no_change(plane: Json) -> None:
    """The provider compares two sets as lists, so that every plan would update the cluster, for ever."""
    ignored = set(plane["lifecycle"]["ignore_changes"])

    assert {"logging_config[0].enable_components", "monitoring_config[0].enable_components"} <= ignored


def test_a_new_zone_of_the_region_does_not_move_the_cluster(plane: Json) -> None:
    assert "node_locations" in plane["lifecycle"]["ignore_changes"]


def test_nobody_holds_a_credential_of_the_clusters_own(plane: Json) -> None:
    assert plane["master_auth"]["client_certificate_config"]["issue_client_certificate"] is False
    assert plane["enable_legacy_abac"] is False
    assert plane["anonymous_authentication_config"]["mode"] == "LIMITED"
    assert set(plane["rbac_binding_config"].values()) == {False}


def test_workloads_have_identities_of_the_projects_own_pool(plane: Json) -> None:
    assert plane["workload_identity_config"]["workload_pool"].endswith(".svc.id.goog")


def test_addresses_of_pods_and_services_are_the_networks_own_ranges(plane: Json) -> None:
    assert plane["networking_mode"] == "VPC_NATIVE"
    assert plane["datapath_provider"] == "ADVANCED_DATAPATH"
    assert plane["ip_allocation_policy"] == {
        "cluster_secondary_range_name": "pods",
        "services_secondary_range_name": "services",
    }


def test_upgrades_follow_a_channel_and_come_on_weekends(plane: Json) -> None:
    assert plane["release_channel"] == {"channel": "REGULAR"}
    assert plane["min_master_version"] == "1.35"
    assert plane["maintenance_policy"]["recurring_window"]["recurrence"] == "FREQ=WEEKLY;BYDAY=SA,SU"


def test_the_control_planes_logs_are_kept_under_the_key_and_nowhere_else(plane: Json, synthesis: Document) -> None:
    """The project's default bucket is not under the key, and would keep a second copy."""
    assert {"APISERVER", "CONTROLLER_MANAGER", "SCHEDULER"} <= set(plane["logging_config"]["enable_components"])
    bucket = synthesis.only("google_logging_project_bucket_config")
    sink, excluded = synthesis.only("google_logging_project_sink"), synthesis.only("google_logging_project_exclusion")
    assert bucket["retention_days"] == SPEC.log_days
    assert bucket["cmek_settings"]["kms_key_name"]
    assert sink["filter"] == excluded["filter"]
    assert 'resource.labels.cluster_name="prod"' in sink["filter"]


def test_logs_that_are_kept_too_long_are_refused_in_the_words_of_the_spec() -> None:
    """Who reads the refusal wrote a spec, and never heard of the bucket that keeps the logs."""
    with pytest.raises(InvalidSpecError, match=r"ClusterSpec\.log_days"):
        GoogleStack().made_cluster(replace(SPEC, log_days=4000))


def test_a_cluster_cannot_be_deleted_by_mistake_unless_the_spec_says_so(plane: Json) -> None:
    stack = GoogleStack()
    stack.made_cluster(ClusterSpec(name="dev", protected=False))

    free = stack.document().only("google_container_cluster")

    assert plane["deletion_protection"] is True
    assert free["deletion_protection"] is False
    assert "prevent_destroy" not in free["lifecycle"]


def test_outputs_are_attributes_of_the_cluster_so_that_who_uses_them_waits_for_it(synthesis: Document) -> None:
    values = {name: output["value"] for name, output in synthesis.outputs().items()}

    assert all("google_container_cluster" in value for value in values.values())
    assert values["endpoint"].startswith("https://")
    assert values["issuer"].startswith("https://container.googleapis.com/v1/")


def test_options_are_off_unless_asked_for(plane: Json) -> None:
    asked = with_options(GkeOptions(signed_images_only=True, groups="gke-security-groups@example.com"))

    assert plane["binary_authorization"]["evaluation_mode"] == "DISABLED"
    assert "authenticator_groups_config" not in plane
    assert asked["binary_authorization"]["evaluation_mode"] == "PROJECT_SINGLETON_POLICY_ENFORCE"
    assert asked["authenticator_groups_config"]["security_group"] == "gke-security-groups@example.com"


def test_a_project_wide_record_of_tokens_is_left_alone_unless_asked_for(synthesis: Document) -> None:
    assert not synthesis.resources("google_project_iam_audit_config")


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        (ClusterSpec(name="c" * 19), "name"),
        (ClusterSpec(name="prod", service_cidr="10.64.0.0/14"), "service_cidr"),
        (ClusterSpec(name="prod", administrators=("platform@example.com",)), "administrators"),
        (ClusterSpec(name="prod", deployer="ci"), "deployer"),
        (
            ClusterSpec(name="prod", pools=(NodePoolSpec(name="batch", taints=(Taint(key="work", value="batch"),)),)),
            "pools",
        ),
        (
            ClusterSpec(name="prod", pools=(NodePoolSpec(name="many", machines=("n2-standard-4", "e2-standard-4")),)),
            "machines",
        ),
        (ClusterSpec(name="prod", pools=(NodePoolSpec(name="many", machines=("m7i.xlarge",)),)), "machines"),
    ],
)
def test_what_gke_would_refuse_is_refused_at_synthesis(spec: ClusterSpec, field: str) -> None:
    with pytest.raises(InvalidSpecError) as refused:
        GoogleStack().made_cluster(spec)

    assert refused.value.field == field


def test_a_pool_that_only_prefers_others_elsewhere_is_open_enough() -> None:
    soft = Taint(key="work", value="batch", effect=TaintEffect.PREFER_NO_SCHEDULE)

    GoogleStack().made_cluster(ClusterSpec(name="prod", pools=(NodePoolSpec(name="batch", taints=(soft,)),)))


def test_more_nodes_than_the_network_has_addresses_for_are_refused() -> None:
    """GKE takes such a pool, and the autoscaler stops growing it one day without a word."""
    stack = GoogleStack()
    network = stack.made_network(NetworkSpec(name="prod", cidr="10.0.0.0/20"))

    with pytest.raises(InvalidSpecError, match="room for the pods of 8"):
        GkeCluster(stack, "Cluster", SPEC, place=stack.place, network=network, key=stack.key)


def test_a_key_of_another_region_is_refused() -> None:
    stack = GoogleStack()
    elsewhere = GcpKey.existing(stack, "Elsewhere", key_id=KEY.format(region="europe-west3"))

    with pytest.raises(InvalidSpecError, match="europe-west3"):
        GkeCluster(stack, "Cluster", SPEC, place=stack.place, network=stack.network, key=elsewhere)


def test_a_group_that_gke_does_not_ask_is_refused() -> None:
    with pytest.raises(InvalidSpecError, match="gke-security-groups@"):
        GkeOptions(groups="platform@example.com")


def test_an_existing_cluster_is_looked_up_so_that_a_wrong_one_fails_when_it_is_planned() -> None:
    stack = GoogleStack()
    cluster = stack.cluster()
    TerraformOutput(stack, "pool", value=cluster.workload_pool)

    document = stack.document()

    assert not document.resources("google_container_cluster")
    assert len(document.data("google_container_cluster")) == 1
