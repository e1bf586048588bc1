"""What each size of the platform survives, as the manifests have it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from aeterna.contracts.platform import FailurePolicy
from aeterna.contracts.sizes import Size
from fixtures.platform_documents import CLOUDS, Written, documents, workloads

if TYPE_CHECKING:
    from aeterna.synth.testing import Document

SERVING = ("graph-api", "threads", "policies", "injector", "opal-server")
PLATFORMS = [f"{cloud}-{name}" for cloud in CLOUDS for name in (*(size.value for size in Size), "opal")]
SPREAD = [name for name in PLATFORMS if not name.endswith(Size.DEV)]
ZONE, HOST = "topology.kubernetes.io/zone", "kubernetes.io/hostname"


def serving(name: str) -> list[Written]:
    """Return the services of a platform."""
    return [each for each in workloads(documents()[name]).values() if each.kind == "kubernetes_deployment_v1"]


def by_name(document: Document, kind: str) -> dict[str, Any]:
    """Return the resources of a type by the name in their metadata."""
    return {each["metadata"]["name"]: each for each in document.resources(kind).values()}


@pytest.mark.parametrize("name", SPREAD)
def test_every_service_has_a_pod_in_every_zone(name: str) -> None:
    """Three zones, so three pods at least, and the scheduler may not put two of the first three into one."""
    for each in serving(name):
        constraints = {one["topologyKey"]: one for one in each.pod["spec"]["topologySpreadConstraints"]}

        assert int(each.arguments["spec"]["replicas"]) >= 3
        assert constraints[ZONE]["whenUnsatisfiable"] == "DoNotSchedule"
        assert constraints[ZONE]["maxSkew"] == 1
        assert constraints[HOST]["whenUnsatisfiable"] == "ScheduleAnyway"


@pytest.mark.parametrize("name", PLATFORMS)
def test_pods_of_two_releases_are_spread_each_for_themselves(name: str) -> None:
    """Else a rollout counts the old pods, and the new ones end up in one zone when those are gone."""
    for each in serving(name):
        for constraint in each.pod["spec"]["topologySpreadConstraints"]:
            assert constraint["matchLabelKeys"] == ["pod-template-hash"]
            assert constraint["nodeTaintsPolicy"] == "Honor"


@pytest.mark.parametrize("name", SPREAD)
def test_a_drain_takes_one_pod_of_a_service_at_a_time(name: str) -> None:
    budgets = by_name(documents()[name], "kubernetes_pod_disruption_budget_v1")

    assert budgets.keys() == {each.name for each in serving(name)}
    assert {budget["spec"]["max_unavailable"] for budget in budgets.values()} == {"1"}


def test_a_single_pod_has_no_budget_that_would_keep_its_node_from_being_drained() -> None:
    assert by_name(documents()["aws-dev"], "kubernetes_pod_disruption_budget_v1") == {}


@pytest.mark.parametrize("name", PLATFORMS)
def test_replicas_are_the_autoscalers_where_there_is_one_and_the_stacks_where_not(name: str) -> None:
    scalers = by_name(documents()[name], "kubernetes_horizontal_pod_autoscaler_v2")

    for each in serving(name):
        ignored = each.arguments.get("lifecycle", {}).get("ignore_changes", [])
        assert (each.name in scalers) == ("spec[0].replicas" in ignored)
        if each.name in scalers:
            spec = scalers[each.name]["spec"]
            assert spec["min_replicas"] == int(each.arguments["spec"]["replicas"]) < spec["max_replicas"]
            (metric,) = spec["metric"]
            assert metric["container_resource"]["container"] == each.name


@pytest.mark.parametrize("name", SPREAD)
def test_what_grows_with_its_load_is_what_agents_wait_for(name: str) -> None:
    assert {"graph-api", "threads"} <= by_name(documents()[name], "kubernetes_horizontal_pod_autoscaler_v2").keys()


@pytest.mark.parametrize("name", PLATFORMS)
def test_a_release_is_rolled_out_without_a_pod_less(name: str) -> None:
    for each in serving(name):
        strategy = each.arguments["spec"]["strategy"]
        assert strategy["rolling_update"] == {"max_surge": "1", "max_unavailable": "0"}


@pytest.mark.parametrize("name", PLATFORMS)
def test_every_container_that_serves_is_asked_how_it_is(name: str) -> None:
    for each in serving(name):
        for container in each.containers("initContainers", "containers"):
            probes = {probe for probe in ("startupProbe", "livenessProbe", "readinessProbe") if probe in container}
            # OPAL's client counts as started once the sidecar beside it has its policies, which is what is asked then.
            wanted = {"startupProbe"} if container["name"] == "aeterna-opal-client" else None
            assert probes == (wanted or {"startupProbe", "livenessProbe", "readinessProbe"}), container["name"]


@pytest.mark.parametrize("name", PLATFORMS)
def test_a_pod_is_killed_only_after_it_had_the_time_to_drain(name: str) -> None:
    for each in serving(name):
        for container in each.containers():
            given = {one["name"].rpartition("AETERNA_")[2]: one.get("value") for one in container["env"]}
            drains = [float(value) for variable, value in given.items() if "_DRAIN_" in variable and value]
            if drains:
                assert len(drains) == 2
                assert sum(drains) < each.pod["spec"]["terminationGracePeriodSeconds"]


def test_the_relay_is_there_before_the_server_that_speaks_through_it_and_stops_after_it() -> None:
    (relay,) = workloads(documents()["aws-opal"])["opal-server"].containers("initContainers")

    assert (relay["name"], relay["restartPolicy"]) == ("relay", "Always")


def test_a_server_of_others_goes_on_until_nobody_sends_to_it_any_more() -> None:
    """It ends at once when it is told to, and the pod stays an endpoint for a moment longer."""
    (server,) = (
        each for each in workloads(documents()["aws-opal"])["opal-server"].containers() if each["name"] == "opal-server"
    )

    assert server["lifecycle"] == {"preStop": {"exec": {"command": ["sleep", "5"]}}}


@pytest.mark.parametrize("name", PLATFORMS)
def test_every_container_says_what_it_needs_and_where_it_ends(name: str) -> None:
    for each in workloads(documents()[name]).values():
        for container in each.containers("initContainers", "containers"):
            resources = container["resources"]
            assert resources["requests"].keys() >= {"cpu", "memory"}
            assert resources["limits"]["memory"] == resources["requests"]["memory"], container["name"]


@pytest.mark.parametrize("name", PLATFORMS)
def test_nothing_is_written_without_bounds(name: str) -> None:
    for each in workloads(documents()[name]).values():
        for volume in each.pod["spec"]["volumes"]:
            if "emptyDir" in volume:
                assert volume["emptyDir"]["sizeLimit"], volume["name"]


@pytest.mark.parametrize("name", PLATFORMS)
def test_a_pod_has_no_token_for_the_api_server_that_it_does_not_ask(name: str) -> None:
    """The injector asks for everything it does; a service asks for keys alone, with a token of its own place."""
    holders: set[str] = set()
    for each in workloads(documents()[name]).values():
        assert each.pod["spec"]["automountServiceAccountToken"] is False
        assert each.pod["spec"]["enableServiceLinks"] is False
        holders |= {
            each.name
            for volume in each.pod["spec"]["volumes"]
            for source in volume.get("projected", {}).get("sources", [])
            if "serviceAccountToken" in source and "audience" not in source["serviceAccountToken"]
        }

    assert holders == {"graph-api", "threads", "policies", "injector"}


@pytest.mark.parametrize("name", PLATFORMS)
def test_who_waits_gives_way_to_who_is_waited_for(name: str) -> None:
    value = {each["metadata"]["name"]: each["value"] for each in priorities(documents()[name])}
    found = workloads(documents()[name]).values()

    of = {each.name: value[each.pod["spec"]["priorityClassName"]] for each in found}

    jobs = {number for name, number in of.items() if name not in SERVING}
    assert max(jobs) < of["graph-api"] == of["threads"] < of["injector"]


def priorities(document: Document) -> list[Any]:
    """Return the classes of priority of a platform."""
    return list(document.resources("kubernetes_priority_class_v1").values())


@pytest.mark.parametrize("name", PLATFORMS)
def test_the_webhook_can_never_be_asked_about_the_clusters_own_pods_nor_about_ours(name: str) -> None:
    """A webhook that is away and is asked about its own pods keeps itself from coming back."""
    (webhook,) = documents()[name].only("kubernetes_mutating_webhook_configuration_v1")["webhook"]

    selector = webhook["namespace_selector"]

    assert selector["match_labels"] == {"aeterna.io/injection": "enabled"}
    (excluded,) = selector["match_expressions"]
    assert (excluded["key"], excluded["operator"]) == ("kubernetes.io/metadata.name", "NotIn")
    assert set(excluded["values"]) == {"kube-system", "kube-public", "kube-node-lease", "aeterna"}


@pytest.mark.parametrize("cloud", CLOUDS)
def test_only_development_runs_agents_without_their_policy_when_the_injector_is_away(cloud: str) -> None:
    failing = {
        size: documents()[f"{cloud}-{size.value}"].only("kubernetes_mutating_webhook_configuration_v1")["webhook"][0][
            "failure_policy"
        ]
        for size in Size
    }

    assert failing == {
        Size.DEV: FailurePolicy.IGNORE,
        Size.STANDARD: FailurePolicy.FAIL,
        Size.CRITICAL: FailurePolicy.FAIL,
    }


@pytest.mark.parametrize("name", PLATFORMS)
def test_only_tenants_namespaces_are_injected_and_all_are_restricted(name: str) -> None:
    found = {each["metadata"]["name"]: each for each in documents()[name].resources("kubernetes_namespace_v1").values()}

    injected = {name for name, each in found.items() if "aeterna.io/injection" in each["metadata"]["labels"]}

    assert injected == found.keys() - {"aeterna"}
    for each in found.values():
        labels = each["metadata"]["labels"]
        assert {labels[f"pod-security.kubernetes.io/{mode}"] for mode in ("enforce", "audit", "warn")} == {"restricted"}


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_service_account_carries_the_identity_that_the_foundation_made_for_it(cloud: str) -> None:
    from fixtures.told_foundations import told_by  # noqa: PLC0415 - beside its only use

    identities = told_by(cloud).identities
    document = documents()[f"{cloud}-opal"]
    accounts = by_name(document, "kubernetes_service_account_v1")

    for name, identity in identities.items():
        assert accounts[name]["metadata"].get("annotations", {}) == dict(identity.annotations)
        assert accounts[name]["automount_service_account_token"] is False
    for each in workloads(document).values():
        identity = identities.get(each.pod["spec"]["serviceAccountName"])
        wanted = {} if identity is None else dict(identity.pod_labels)
        assert wanted.items() <= each.pod["metadata"]["labels"].items()


def test_a_new_release_migrates_with_a_job_of_its_own() -> None:
    """A Job cannot be changed: one of the same name would be refused, or would be the old release's."""
    names = {each["metadata"]["name"] for each in documents()["aws-standard"].resources("kubernetes_job_v1").values()}

    assert {name.rpartition("-")[0] for name in names} == {"threads-migrate", "policies-migrate"}
    assert all(len(name.rpartition("-")[2]) == 8 for name in names)


@pytest.mark.parametrize("name", PLATFORMS)
def test_no_service_finds_the_pods_of_a_job(name: str) -> None:
    document = documents()[name]
    jobs = [each for each in workloads(document).values() if each.kind != "kubernetes_deployment_v1"]

    for service in document.resources("kubernetes_service_v1").values():
        wanted = service["spec"]["selector"].items()
        assert not [each.name for each in jobs if wanted <= each.pod["metadata"]["labels"].items()]


@pytest.mark.parametrize("name", PLATFORMS)
def test_the_webhook_is_where_the_control_plane_of_a_private_gke_cluster_reaches_pods(name: str) -> None:
    """GKE's own firewall rule lets it in at two ports. At another one no pod of a tenant would ever be admitted."""
    (registration,) = documents()[name].resources("kubernetes_mutating_webhook_configuration_v1").values()
    (service,) = (
        each
        for each in documents()[name].resources("kubernetes_service_v1").values()
        if each["metadata"]["name"] == "injector"
    )
    (injector,) = workloads(documents()[name])["injector"].containers()

    (port,) = service["spec"]["port"]
    told = {each["name"]: each.get("value") for each in injector["env"]}
    assert port["target_port"] in {"443", "10250"}
    assert told["AETERNA_INJECTOR_PORT"] == port["target_port"]
    assert registration["webhook"][0]["client_config"]["service"]["port"] == port["port"]


@pytest.mark.parametrize("name", SPREAD)
def test_an_autoscaler_says_all_that_kubernetes_would_fill_in(name: str) -> None:
    """The provider shows what was filled in as something to take away, at every plan."""
    for scaler in documents()[name].resources("kubernetes_horizontal_pod_autoscaler_v2").values():
        behavior = scaler["spec"]["behavior"]
        for (way,) in (behavior["scale_up"], behavior["scale_down"]):
            assert way.keys() == {"stabilization_window_seconds", "select_policy", "policy"}


@pytest.mark.parametrize("cloud", CLOUDS)
def test_an_agents_pod_carries_the_labels_that_the_cloud_wants_of_one_that_proves_itself(cloud: str) -> None:
    """Azure gives no token to a pod without its label, and the secrets sidecar would not become ready."""
    (definition,) = (
        json.loads(each["data"]["installation.json"])
        for each in documents()[f"{cloud}-standard"].resources("kubernetes_config_map_v1").values()
        if each["metadata"]["name"] == "aeterna-injection"
    )

    wanted = {"azure.workload.identity/use": "true"} if cloud == "azure" else {}
    assert definition["pod_labels"] == wanted
