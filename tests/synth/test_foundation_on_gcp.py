"""Laws of a whole foundation that only Google Cloud has: who may do what, and what has to be there before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fixtures.resource_graph import kind_of
from synth.test_foundation_encryption import keys_of, used_keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.synth.testing import Json
    from fixtures.resource_graph import Joined

KEY_GRANT = "google_kms_crypto_key_iam_member"
USE = "roles/cloudkms.cryptoKeyEncrypterDecrypter"

AGENTS = {
    ("google_artifact_registry_repository", "kms_key_name"): "@gcp-sa-artifactregistry.",
    ("google_container_cluster", "database_encryption.key_name"): "@container-engine-robot.",
    ("google_container_cluster", "node_config.boot_disk_kms_key"): "@compute-system.",
    ("google_container_node_pool", "node_config.boot_disk_kms_key"): "@compute-system.",
    ("google_logging_project_bucket_config", "cmek_settings.kms_key_name"): "google_logging_project_cmek_settings.",
    ("google_memorystore_instance", "kms_key"): "@gcp-sa-memorystore.",
    ("google_pubsub_topic", "kms_key_name"): "@gcp-sa-pubsub.",
    ("google_sql_database_instance", "encryption_key_name"): "@gcp-sa-cloud-sql.",
    ("google_storage_bucket", "encryption.default_kms_key_name"): "google_storage_project_service_account.",
}
"""By what is encrypted, whose account does it: part of an address, or of the data source that asks for it."""

WORKLOADS = {"graph-api", "migrate", "opal", "policies", "threads"}

BECOMES_A_POD = "roles/iam.workloadIdentityUser"
ACTS_AS_ANOTHER = "roles/iam.serviceAccountTokenCreator"

ALLOWED = {
    "graph-api": {"roles/biglake.editor", "roles/serviceusage.serviceUsageConsumer", "roles/storage.objectUser"},
    "migrate": {ACTS_AS_ANOTHER},
    "opal": {"roles/memorystore.dbConnectionUser"},
    "policies": {"roles/cloudsql.client", "roles/cloudsql.instanceUser"},
    "threads": {"roles/cloudsql.client", "roles/cloudsql.instanceUser", "roles/storage.objectUser"},
}
"""By workload, every role that it may have."""

WITHOUT_A_RESOURCE = {"roles/serviceusage.serviceUsageConsumer"}
"""To be billed for requests is a right in a project and in nothing smaller."""

BASIC = {"roles/owner", "roles/editor", "roles/viewer"}
PUBLIC = {"allUsers", "allAuthenticatedUsers"}
ADMINISTERS_CLUSTERS = "roles/container.admin"


def test_whatever_is_under_a_key_waits_until_its_service_may_use_that_key(on_gcp: Joined) -> None:
    """A grant takes minutes to arrive. Without it the store is refused, or was made by an agent that nobody granted."""
    early = [
        f"{address}.{path}"
        for layer, address, path, value in used_keys(on_gcp)
        for key in keys_of(on_gcp, layer, value)
        if not any(granted_before(on_gcp, address, path, grant) for grant in grants_on(on_gcp, key))
    ]

    assert early == []


def grants_on(foundation: Joined, key: str) -> list[str]:
    """Return the addresses of the grants on one key, and on nothing but it."""
    return [
        address
        for address, grant in foundation.resources(KEY_GRANT).items()
        if grant["role"] == USE and key in foundation.references(address.partition("/")[0], grant["crypto_key_id"])
    ]


def granted_before(foundation: Joined, address: str, path: str, grant: str) -> bool:
    """Whether the grant is for the agent of this service, and the resource waits for it and for its arrival."""
    agent = AGENTS[kind_of(address), path]
    arrived = [pause for pause in foundation.resources("time_sleep") if grant in foundation.graph[pause]]
    return (
        agent in foundation.resources(KEY_GRANT)[grant]["member"]
        and foundation.follows(address, grant)
        and any(foundation.follows(address, pause) for pause in arrived)
    )


def test_keys_are_granted_one_at_a_time_and_never_in_a_whole_project(on_gcp: Joined) -> None:
    assert not on_gcp.types() & {"google_kms_key_ring_iam_member", "google_kms_key_ring_iam_binding"}
    for address, member in on_gcp.resources("google_project_iam_member").items():
        assert not member["role"].startswith("roles/cloudkms."), address


def test_nothing_is_granted_to_an_account_of_google_before_the_service_that_it_comes_with_is_on(on_gcp: Joined) -> None:
    """In a new project the account is not there yet, and IAM refuses a member that does not exist."""
    of_services = [(address, member) for address, member in members(on_gcp) if ":service-" in member["member"]]

    assert of_services
    for address, member in of_services:
        waits = member.get("depends_on", ())
        assert any("-answers_" in each or "ChannelKnown" in each for each in waits), address


def test_no_account_is_made_before_iam_is_on(on_gcp: Joined) -> None:
    for address, account in on_gcp.resources("google_service_account").items():
        assert any("iam-answers" in each for each in account["depends_on"]), address


def test_no_grant_replaces_what_others_were_granted(on_gcp: Joined) -> None:
    """A binding or a policy is the whole truth of a role: applying one takes away what a customer gave before."""
    assert [kind for kind in on_gcp.types() if kind.endswith(("_iam_binding", "_iam_policy"))] == []


def test_nobody_is_everybody_and_nobody_has_a_basic_role(on_gcp: Joined) -> None:
    for address, member in members(on_gcp):
        assert not any(public in member["member"] for public in PUBLIC), address
        assert member["role"] not in BASIC, address


def test_who_administers_is_let_into_the_kubernetes_api_by_no_condition(on_gcp: Joined) -> None:
    """GKE tells IAM no resource there, so that a condition on the cluster would keep everyone out."""
    administering = {
        address: member for address, member in members(on_gcp) if member["role"].lower().endswith(("admin", ".owner"))
    }

    assert {member["role"] for member in administering.values()} == {ADMINISTERS_CLUSTERS}
    for address, member in administering.items():
        assert "condition" not in member, address


def members(foundation: Joined) -> Iterator[tuple[str, Json]]:
    """Yield address and arguments of everything that gives a member a role."""
    for _, address, arguments in foundation.elements():
        if kind_of(address).endswith("_iam_member"):
            yield address, arguments


def test_each_workload_is_trusted_for_one_exact_service_account_of_the_cluster(on_gcp: Joined) -> None:
    """The pool exists only once the cluster does: without an edge to it the member is refused on a first apply."""
    bindings = on_gcp.resources("google_service_account_iam_member").values()
    pods = [binding for binding in bindings if binding["role"] == BECOMES_A_POD]
    (cluster,) = on_gcp.resources("google_container_cluster")

    pool = f"${{{cluster.partition('/')[2]}.workload_identity_config[0].workload_pool}}"
    assert {binding["member"] for binding in pods} == {
        f"serviceAccount:{pool}[aeterna/{workload}]" for workload in WORKLOADS
    }


def test_migrations_alone_act_as_another_account_and_that_is_the_databases_administrator(on_gcp: Joined) -> None:
    (acting,) = (
        binding
        for binding in on_gcp.resources("google_service_account_iam_member").values()
        if binding["role"] != BECOMES_A_POD
    )

    assert acting["role"] == ACTS_AS_ANOTHER
    assert "Migrate" in acting["member"]
    assert "Administrator" in "".join(on_gcp.references("cluster", acting["service_account_id"]))


def test_no_two_service_accounts_share_an_identity(on_gcp: Joined) -> None:
    identities = [identity for _, identity in workloads(on_gcp)]

    assert len(set(identities)) == len(identities) == len(WORKLOADS)


def test_a_workload_has_the_roles_that_it_needs_on_single_resources_and_no_others(on_gcp: Joined) -> None:
    for workload, identity in workloads(on_gcp):
        given = list(roles_of(on_gcp, identity))

        assert {member["role"] for _, member in given} == ALLOWED[workload]
        for address, member in given:
            if kind_of(address) == "google_project_iam_member" and member["role"] not in WITHOUT_A_RESOURCE:
                assert "resource.name.endsWith(" in member["condition"]["expression"], address


def workloads(foundation: Joined) -> Iterator[tuple[str, str]]:
    """Yield each service account of Kubernetes with the one of Google Cloud that its pods act as."""
    for binding in foundation.resources("google_service_account_iam_member").values():
        if binding["role"] != BECOMES_A_POD:
            continue
        (identity,) = foundation.references("cluster", binding["service_account_id"])
        yield binding["member"].rpartition("/")[2].removesuffix("]"), identity


def roles_of(foundation: Joined, identity: str) -> Iterator[tuple[str, Json]]:
    """Yield address and arguments of every role that an identity has, but for the one that lets pods act as it."""
    for address, member in members(foundation):
        layer = address.partition("/")[0]
        if identity in foundation.references(layer, member["member"]):
            yield address, member


def test_no_key_of_a_service_account_is_made(on_gcp: Joined) -> None:
    assert not on_gcp.types() & {
        "google_service_account_key",
        "random_password",
        "google_secret_manager_secret_version",
    }
    for address, user in on_gcp.resources("google_sql_user").items():
        assert "password" not in user, address
        assert user["type"].startswith("CLOUD_IAM_"), address


def test_a_database_follows_the_private_way_to_it(on_gcp: Joined) -> None:
    """Cloud SQL takes its address out of the peered range of its network, and fails where no peering is there yet."""
    for address, database in on_gcp.resources("google_sql_database_instance").items():
        layer, settings = address.partition("/")[0], database["settings"]
        home = on_gcp.references(layer, settings["ip_configuration"]["private_network"])
        ways = [
            way
            for way, connection in on_gcp.resources("google_service_networking_connection").items()
            if on_gcp.references(way.partition("/")[0], connection["network"]) == home
        ]

        assert ways, address
        assert all(on_gcp.follows(address, way) for way in ways), address


def test_a_cache_follows_the_policy_that_lets_it_into_the_network(on_gcp: Joined) -> None:
    policies = [
        address
        for address, policy in on_gcp.resources("google_network_connectivity_service_connection_policy").items()
        if policy["service_class"] == "gcp-memorystore" and "recovery/" not in address
    ]

    assert policies
    for cache in on_gcp.resources("google_memorystore_instance"):
        assert all(on_gcp.follows(cache, policy) for policy in policies)


def test_what_is_used_of_a_service_follows_its_being_switched_on(on_gcp: Joined) -> None:
    """In a new project nothing is: the first apply of whatever does not wait for its service fails."""
    services = {
        "google_container_cluster": "container.googleapis.com",
        "google_sql_database_instance": "sqladmin.googleapis.com",
        "google_memorystore_instance": "memorystore.googleapis.com",
        "google_kms_key_ring": "cloudkms.googleapis.com",
        "google_compute_network": "compute.googleapis.com",
        "google_artifact_registry_repository": "artifactregistry.googleapis.com",
        "google_biglake_iceberg_catalog": "biglake.googleapis.com",
        "google_pubsub_topic": "pubsub.googleapis.com",
        "google_service_networking_connection": "servicenetworking.googleapis.com",
    }
    switched_on = {
        (address.partition("/")[0], service["service"]): address
        for address, service in on_gcp.resources("google_project_service").items()
    }

    for kind, service in services.items():
        assert on_gcp.resources(kind), kind
        for address in on_gcp.resources(kind):
            assert switched_on[address.partition("/")[0], service] in on_gcp.needed_by(address), address


def test_no_service_is_switched_off_with_the_foundation(on_gcp: Joined) -> None:
    """Others in the project use it as well."""
    for address, service in on_gcp.resources("google_project_service").items():
        assert service["disable_on_destroy"] is False, address


def test_nothing_of_it_is_reachable_from_the_internet(on_gcp: Joined) -> None:
    for bucket in on_gcp.resources("google_storage_bucket").values():
        assert bucket["public_access_prevention"] == "enforced"
        assert bucket["uniform_bucket_level_access"] is True
    for database in on_gcp.resources("google_sql_database_instance").values():
        assert database["settings"]["ip_configuration"]["ipv4_enabled"] is False
    for cluster in on_gcp.resources("google_container_cluster").values():
        assert cluster["private_cluster_config"]["enable_private_nodes"] is True
        assert cluster["private_cluster_config"]["enable_private_endpoint"] is True


def test_what_holds_data_refuses_to_be_destroyed(on_gcp: Joined) -> None:
    for kind in (
        "google_kms_crypto_key",
        "google_kms_key_ring",
        "google_sql_database_instance",
        "google_storage_bucket",
    ):
        for address, resource in on_gcp.resources(kind).items():
            assert resource["lifecycle"]["prevent_destroy"] is True, address
            assert not resource.get("force_destroy"), address
    for database in on_gcp.resources("google_sql_database_instance").values():
        assert database["deletion_protection"] is True
        assert database["settings"]["deletion_protection_enabled"] is True
    for cluster in on_gcp.resources("google_container_cluster").values():
        assert cluster["deletion_protection"] is True
