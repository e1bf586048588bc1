"""Each rule of Google Cloud finds what breaks it, and lets pass what keeps it; so do the neutral ones in its forms."""

from __future__ import annotations

import pytest

from aeterna.gcp.rules import PACK
from fixtures.rule_documents import Case, Json, document, found

POOL = "${google_container_cluster.x.workload_identity_config[0].workload_pool}"


def nodes(**config: Json) -> dict[str, Json]:
    return document(google_container_node_pool={"cluster": "a", "node_config": config})


def cluster(**arguments: Json) -> dict[str, Json]:
    return document(google_container_cluster={"name": "a", **arguments})


def bound(role: str, member: str = "group:a@example.com", *, to: str = "project") -> dict[str, Json]:
    return document(**{f"google_{to}_iam_member": {to: "a", "role": role, "member": member}})


def pretending(member: str) -> dict[str, Json]:
    return bound("roles/iam.workloadIdentityUser", member, to="service_account")


def firewall(**arguments: Json) -> dict[str, Json]:
    return document(google_compute_firewall={"name": "a", "network": "n", **arguments})


def flags(**values: str) -> dict[str, Json]:
    written = [{"name": name.replace("__", "."), "value": value} for name, value in values.items()]
    server = {"database_version": "POSTGRES_17", "settings": {"database_flags": written}}
    return document(google_sql_database_instance=server)


OWN = [
    Case(
        sentence="a cluster by the older way",
        rule="gcp-legacy-authorization",
        wrong=cluster(enable_legacy_abac=True),
        right=cluster(),
    ),
    Case(
        sentence="who does not sign in has a role",
        rule="gcp-legacy-authorization",
        wrong=cluster(rbac_binding_config={"enable_insecure_binding_system_unauthenticated": True}),
        right=cluster(rbac_binding_config={"enable_insecure_binding_system_unauthenticated": False}),
    ),
    Case(
        sentence="a certificate to log in with",
        rule="gcp-client-certificate",
        wrong=cluster(master_auth={"client_certificate_config": {"issue_client_certificate": True}}),
        right=cluster(),
    ),
    Case(
        sentence="pods read the machine's own metadata",
        rule="gcp-node-metadata",
        wrong=nodes(machine_type="n2-standard-4"),
        right=nodes(workload_metadata_config={"mode": "GKE_METADATA"}),
    ),
    Case(
        sentence="nodes are the project's default account",
        rule="gcp-node-account",
        wrong=nodes(service_account="1-compute@developer.gserviceaccount.com"),
        right=nodes(service_account="${google_service_account.nodes.email}"),
    ),
    Case(
        sentence="nodes start what is not signed",
        rule="gcp-shielded-nodes",
        wrong=nodes(shielded_instance_config={"enable_secure_boot": False}),
        right=nodes(shielded_instance_config={"enable_secure_boot": True}),
    ),
    Case(
        sentence="a node answers anybody",
        rule="gcp-kubelet-port",
        wrong=nodes(kubelet_config={"cpu_manager_policy": "static"}),
        right=nodes(kubelet_config={"insecure_kubelet_readonly_port_enabled": "FALSE"}),
    ),
    Case(
        sentence="calls of Google's services leave the network",
        rule="gcp-private-google-access",
        wrong=document(google_compute_subnetwork={"name": "a"}),
        right=document(google_compute_subnetwork={"name": "a", "purpose": "REGIONAL_MANAGED_PROXY"}),
    ),
    Case(
        sentence="a subnet in every region",
        rule="gcp-subnets-by-hand",
        wrong=document(google_compute_network={"name": "a"}),
        right=document(google_compute_network={"name": "a", "auto_create_subnetworks": False}),
    ),
    Case(
        sentence="destroying a stack switches a service off for all",
        rule="gcp-services-stay",
        wrong=document(google_project_service={"service": "a.googleapis.com", "disable_on_destroy": True}),
        right=document(google_project_service={"service": "a.googleapis.com"}),
    ),
    Case(
        sentence="access lists beside IAM",
        rule="gcp-uniform-access",
        wrong=document(google_storage_bucket={"name": "acme"}),
        right=document(google_storage_bucket={"name": "acme", "uniform_bucket_level_access": True}),
    ),
    Case(
        sentence="an access list of one object",
        rule="gcp-uniform-access",
        wrong=document(google_storage_object_acl={"bucket": "acme"}),
        right=bound("roles/storage.objectViewer", to="storage_bucket"),
    ),
    Case(
        sentence="every key of the project for one service",
        rule="gcp-project-wide-grant",
        wrong=bound("roles/cloudkms.cryptoKeyEncrypterDecrypter"),
        right=bound("roles/cloudkms.cryptoKeyEncrypterDecrypter", to="kms_crypto_key"),
    ),
]

IN_ITS_FORM = [
    Case(
        sentence="an editor of the project",
        rule="grant-everything",
        wrong=bound("roles/editor"),
        right=bound("roles/viewer"),
    ),
    Case(
        sentence="a bucket for everybody",
        rule="grant-everyone",
        wrong=bound("roles/storage.objectViewer", "allUsers", to="storage_bucket"),
        right=bound("roles/storage.objectViewer", to="storage_bucket"),
    ),
    Case(
        sentence="whoever has any account",
        rule="grant-everyone",
        wrong={
            "data": {"google_iam_policy": {"x": {"binding": [{"role": "a", "members": ["allAuthenticatedUsers"]}]}}}
        },
        right={"data": {"google_iam_policy": {"x": {"binding": [{"role": "a", "members": ["user:a@b.c"]}]}}}},
    ),
    Case(
        sentence="acting as any account of the project",
        rule="grant-escalates",
        wrong=bound("roles/iam.serviceAccountTokenCreator"),
        right=bound("roles/iam.serviceAccountTokenCreator", to="service_account"),
    ),
    Case(
        sentence="any pod of a namespace",
        rule="trust-exact",
        wrong=pretending(f"serviceAccount:{POOL}[aeterna/*]"),
        right=pretending(f"serviceAccount:{POOL}[aeterna/threads]"),
    ),
    Case(
        sentence="a set of principals",
        rule="trust-exact",
        wrong=pretending("principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/a/*"),
        right=pretending(
            "principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/a/subject/b"
        ),
    ),
    Case(
        sentence="every repository of a code host",
        rule="trust-exact",
        wrong=document(google_iam_workload_identity_pool_provider={"oidc": {"issuer_uri": "https://a"}}),
        right=document(
            google_iam_workload_identity_pool_provider={"attribute_condition": "assertion.repository == 'acme/a'"}
        ),
    ),
    Case(
        sentence="a firewall open to everybody",
        rule="open-ingress",
        wrong=firewall(source_ranges=["0.0.0.0/0"], allow=[{"protocol": "tcp"}]),
        right=firewall(source_ranges=["0.0.0.0/0"], deny=[{"protocol": "all"}]),
    ),
    Case(
        sentence="a firewall whose direction is said",
        rule="open-ingress",
        wrong=firewall(source_ranges=["0.0.0.0/0"], allow=[{"protocol": "tcp"}], direction="INGRESS"),
        right=firewall(source_ranges=["0.0.0.0/0"], allow=[{"protocol": "tcp"}], direction="EGRESS"),
    ),
    Case(
        sentence="a database that everybody may call",
        rule="open-ingress",
        wrong=document(
            google_sql_database_instance={
                "settings": [{"ip_configuration": [{"authorized_networks": [{"value": "0.0.0.0/0"}]}]}]
            }
        ),
        right=document(google_sql_database_instance={"settings": [{"ip_configuration": [{"ipv4_enabled": False}]}]}),
    ),
    Case(
        sentence="a database without logins by IAM",
        rule="identity-login",
        wrong=flags(log_connections="on"),
        right=flags(log_connections="on", cloudsql__iam_authentication="on"),
    ),
    Case(
        sentence="a cluster in one zone",
        rule="zone-redundant",
        wrong=cluster(location="europe-west1-b"),
        right=cluster(location="europe-west1"),
    ),
    Case(
        sentence="a bucket that keeps no versions",
        rule="object-versions",
        wrong=document(google_storage_bucket={"name": "acme"}),
        right=document(google_storage_bucket={"name": "acme", "retention_policy": {"retention_period": 86400}}),
    ),
    Case(
        sentence="a secret under Google's own key",
        rule="customer-key-store",
        wrong=document(google_secret_manager_secret={"secret_id": "a", "replication": {"auto": {}}}),
        right=document(
            google_secret_manager_secret={
                "replication": {
                    "user_managed": {"replicas": [{"customer_managed_encryption": {"kms_key_name": "${a.b.id}"}}]}
                }
            }
        ),
    ),
    Case(
        sentence="nodes that the cluster makes by itself have the cloud's own key",
        rule="customer-key-disk",
        wrong=cluster(cluster_autoscaling={"enabled": True}),
        right=cluster(
            cluster_autoscaling={"enabled": True, "auto_provisioning_defaults": {"boot_disk_kms_key": "${a.b.id}"}}
        ),
    ),
    Case(
        sentence="pods without identities, which Autopilot always has",
        rule="workload-identity",
        wrong=cluster(),
        right=cluster(enable_autopilot=True),
    ),
    Case(
        sentence="a key of an account",
        rule="static-key",
        wrong=document(google_service_account_key={"service_account_id": "a"}),
        right=document(google_service_account={"account_id": "threads"}),
    ),
]


@pytest.mark.parametrize("case", [*OWN, *IN_ITS_FORM], ids=str)
def test_what_breaks_a_rule_is_found(case: Case) -> None:
    assert found(case.wrong, case.rule)


@pytest.mark.parametrize("case", [*OWN, *IN_ITS_FORM], ids=str)
def test_what_keeps_a_rule_is_not_found(case: Case) -> None:
    assert found(case.right, case.rule) == []


def test_every_rule_of_google_cloud_is_tried_here() -> None:
    assert {case.rule for case in OWN} == {rule.id for rule in PACK.rules}
