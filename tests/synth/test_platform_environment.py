"""What the platform puts into a container's environment is what the program in it reads, and nothing else."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, cast

import pytest

from aeterna.api.settings import ApiSettings, RoundSettings
from aeterna.api.settings import MigrationSettings as CatalogMigrationSettings
from aeterna.contracts.injection import Wish, parts, read_installation
from aeterna.contracts.injection.names import OPAL_CONTAINER, POLICY_CONTAINER
from aeterna.contracts.platform import OpalSpec
from aeterna.contracts.sizes import Size
from aeterna.contracts.workloads import read_workloads
from aeterna.graph.domain.catalogs import PostgresCatalog, catalog_of
from aeterna.injector.settings import InjectorSettings
from aeterna.platform.policies import SEED
from aeterna.platform.site import Site
from aeterna.policies.settings import DatabaseSettings, PoliciesSettings
from aeterna.policy.settings import PolicySettings
from aeterna.relay.settings import RelaySettings
from aeterna.service.settings import load
from aeterna.threads.settings import CleanupSettings, MigrationSettings, ThreadsSettings
from fixtures.platform_documents import CLOUDS, documents, workloads
from fixtures.platform_sites import spec
from fixtures.told_foundations import PEM, told_by

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic_settings import BaseSettings

READS: Mapping[tuple[str, str], type[BaseSettings]] = {
    ("graph-api", "graph-api"): ApiSettings,
    ("threads", "threads"): ThreadsSettings,
    ("policies", "policies"): PoliciesSettings,
    ("injector", "injector"): InjectorSettings,
    ("threads-migrate", "migrate"): MigrationSettings,
    ("policies-migrate", "migrate"): DatabaseSettings,
    ("graph-api-migrate", "migrate"): CatalogMigrationSettings,
    ("threads-cleanup", "cleanup"): CleanupSettings,
    ("policies-verify-audit", "verify-audit"): DatabaseSettings,
    ("graph-api-backup", "backup"): RoundSettings,
    ("graph-api-maintain", "maintain"): RoundSettings,
    ("opal-server", "relay"): RelaySettings,
    **{(service, POLICY_CONTAINER): PolicySettings for service in ("graph-api", "threads", "policies")},
}
"""By workload and container, what its program reads."""

ROOT = Path(__file__).parents[2]
WHERE_THE_CATALOG_IS_A_DATABASE = {"azure"}
ALL = [
    (cloud, *place)
    for cloud in CLOUDS
    for place in READS
    if cloud in WHERE_THE_CATALOG_IS_A_DATABASE or place[0] != "graph-api-migrate"
]
THE_PODS_OWN = {"status.podIP": "10.42.3.4", "metadata.name": "some-pod"}


def container_of(cloud: str, workload: str, name: str) -> dict[str, Any]:
    """Return a container of a platform."""
    platform = "opal" if workload == "opal-server" else "standard"
    found = workloads(documents()[f"{cloud}-{platform}"])[workload].containers("initContainers", "containers")
    return next(each for each in found if each["name"] == name)


def environment(container: Mapping[str, Any]) -> dict[str, str]:
    """Return the variables as the container's process has them."""
    return {
        each["name"]: each["value"] if "value" in each else THE_PODS_OWN[each["valueFrom"]["fieldRef"]["fieldPath"]]
        for each in container["env"]
    }


def loaded(kind: type[BaseSettings], variables: Mapping[str, str], patch: pytest.MonkeyPatch) -> BaseSettings:
    """Return the settings of a process with these variables, and no others of ours."""
    for name in list(os.environ):
        if name.startswith("AETERNA_"):
            patch.delenv(name)
    for name, value in variables.items():
        patch.setenv(name, value)
    return load(kind)


@pytest.mark.parametrize(("cloud", "workload", "container"), ALL)
def test_every_variable_is_a_field_of_the_programs_settings(cloud: str, workload: str, container: str) -> None:
    """One that no field reads is a promise that nobody keeps, and most often a misspelled one."""
    kind = READS[workload, container]
    prefix = str(kind.model_config.get("env_prefix"))
    fields = {f"{prefix}{name}".upper() for name in kind.model_fields}

    given = environment(container_of(cloud, workload, container))

    assert given.keys() <= fields


@pytest.mark.parametrize(("cloud", "workload", "container"), ALL)
def test_the_program_starts_with_what_it_is_given(
    cloud: str, workload: str, container: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = environment(container_of(cloud, workload, container))
    kind = READS[workload, container]

    settings = loaded(kind, given, monkeypatch)

    prefix = str(kind.model_config.get("env_prefix"))
    assert settings.model_fields_set == {name.removeprefix(prefix).lower() for name in given}


@pytest.mark.parametrize(("cloud", "workload", "container"), ALL)
def test_every_file_that_a_variable_names_is_in_a_volume(cloud: str, workload: str, container: str) -> None:
    found = container_of(cloud, workload, container)
    mounted = {PurePosixPath(each["mountPath"]) for each in found["volumeMounts"]} | {PurePosixPath(SEED)}

    named = list(paths(environment(found)))

    assert [path for path in named if not mounted & set(path.parents) and path not in mounted] == []


def paths(variables: Mapping[str, str]) -> Iterator[PurePosixPath]:
    """Yield the paths in the values: whole ones, of sockets, and of a login's token."""
    for value in variables.values():
        for text in (value.removeprefix("unix:"), *(part.partition("=")[2] for part in value.split("&"))):
            if text.startswith("/"):
                yield PurePosixPath(text)


def test_every_container_of_ours_is_looked_at() -> None:
    """A program that comes later is listed here, or nobody asks what it reads."""
    ours = {
        (workload.name, each["name"])
        for name in ("aws-standard", "aws-opal", "azure-standard")
        for workload in workloads(documents()[name]).values()
        for each in workload.containers("initContainers", "containers")
        if not each["image"].rpartition("/")[2].startswith("opal")
    }

    assert ours == READS.keys()


@pytest.mark.parametrize("cloud", CLOUDS)
def test_no_value_is_a_secret_and_no_variable_takes_one_from_a_secret(cloud: str) -> None:
    """A secret in an environment is in every crash report; ours are files. OPAL reads its own from nowhere else."""
    taken = {
        (workload.name, each["name"])
        for workload in workloads(documents()[f"{cloud}-opal"]).values()
        for container in workload.containers("initContainers", "containers")
        for each in container["env"]
        if "secretKeyRef" in each.get("valueFrom", {})
    }

    services = {name for name, _ in taken}
    assert {variable.partition("_")[0] for _, variable in taken} == {"OPAL"}
    assert services == {"opal-server", "graph-api", "threads", "policies"}


def test_the_feed_of_the_platforms_own_sidecars_is_opal_where_it_is_for_the_agents() -> None:
    (sidecar,) = (
        each
        for each in workloads(documents()["aws-opal"])["threads"].containers("initContainers")
        if each["name"] == POLICY_CONTAINER
    )

    given = environment({"env": [each for each in sidecar["env"] if each["name"].startswith("AETERNA_")]})

    assert "AETERNA_POLICY_OPAL_URL" in given
    assert "AETERNA_POLICY_BUNDLE_URL" not in given


@pytest.mark.parametrize("entities", [None, "https://directory.example.com/entities"])
def test_opals_clients_wait_for_entities_only_where_somebody_has_some(entities: str | None) -> None:
    """One that waits for those of nobody is never done, and its sidecar never ready."""
    wanted = spec(opal=OpalSpec(repository="https://git.example.com/policies.git", data_url=entities))

    given = parts(Wish(policy=True), Site(spec=wanted, foundation=told_by("aws")).installation(), tenant="acme")

    (client,) = (each for each in cast("list[Any]", given.init_containers) if each["name"] == OPAL_CONTAINER)
    told = {each["name"]: each.get("value") for each in client["env"]}
    assert told.get("OPAL_DATA_UPDATER_ENABLED") == (None if entities else "false")


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("service", ["threads", "policies"])
def test_whoever_migrates_lets_in_the_login_that_serves(cloud: str, service: str) -> None:
    prefix = f"AETERNA_{service.upper()}_"

    migrating = environment(container_of(cloud, f"{service}-migrate", "migrate"))

    assert migrating[f"{prefix}SERVING_LOGIN"] == told_by(cloud).identities[service].logins["prod-threads"]


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_graph_api_reaches_its_catalog_as_whom_the_migration_let_in(
    cloud: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the catalog is a database, whose certificate is proved by the foundation's authority."""
    serving = loaded(ApiSettings, environment(container_of(cloud, "graph-api", "graph-api")), monkeypatch)
    assert isinstance(serving, ApiSettings)
    catalog = catalog_of(serving.catalog_uri)

    assert isinstance(catalog, PostgresCatalog) == (cloud in WHERE_THE_CATALOG_IS_A_DATABASE)
    if isinstance(catalog, PostgresCatalog):
        migrating = environment(container_of(cloud, "graph-api-migrate", "migrate"))
        assert catalog.user == migrating["AETERNA_API_SERVING_LOGIN"]
        assert catalog.tls == "verify-full"
        assert catalog.tls_roots == "/etc/aeterna/database/ca.pem"
        owner = catalog_of(migrating["AETERNA_API_CATALOG_URI"])
        assert replace(catalog, user=told_by(cloud).identities["migrate"].logins["prod-threads"]) == owner


def test_what_is_deployed_at_first_is_in_the_image_where_the_setting_says() -> None:
    """Without a first version no agent would start: its sidecar waits for a bundle that was deployed."""
    containerfile = (ROOT / "runtime/policies/Containerfile").read_text()

    assert f"COPY sidecars/policy/src/aeterna/policy/bundle {SEED}\n" in containerfile


@pytest.mark.parametrize(("size", "seeded"), [("dev", True), ("standard", False), ("critical", False)])
def test_an_agent_waits_for_the_deployed_policies_where_none_may_run_without_its_policy(
    size: str, *, seeded: bool
) -> None:
    (definition,) = (
        each["data"]["installation.json"]
        for each in documents()[f"aws-{size}"].resources("kubernetes_config_map_v1").values()
        if each["metadata"]["name"] == "aeterna-injection"
    )

    assert read_installation(definition).seeded is seeded


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_injector_reads_what_the_platform_composes_from(cloud: str) -> None:
    """One definition: the document that the injector has is the one that pods are composed from at synthesis."""
    (definition,) = (
        each["data"]
        for each in documents()[f"{cloud}-critical"].resources("kubernetes_config_map_v1").values()
        if each["metadata"]["name"] == "aeterna-injection"
    )
    wanted = spec(size=Size.CRITICAL, database_authority=PEM)

    assert (
        read_installation(definition["installation.json"])
        == Site(spec=wanted, foundation=told_by(cloud)).installation()
    )
    assert read_workloads(definition["workloads.json"]) == wanted.workloads()


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("service", ["threads", "policies"])
def test_whoever_migrates_knows_where_the_administrators_password_is_where_there_is_one(
    cloud: str, service: str
) -> None:
    """RDS's administrator logs in with no token: without the password nothing is ever migrated, and nothing starts."""
    migrating = environment(container_of(cloud, f"{service}-migrate", "migrate"))

    told = told_by(cloud).database.administrator_secret
    assert migrating.get(f"AETERNA_{service.upper()}_MIGRATE_SECRET_ARN") == told
    assert (told is None) == (cloud != "aws")


@pytest.mark.parametrize("command", ["backup", "maintain"])
def test_a_round_gives_up_in_time_for_another_try_before_the_cluster_ends_it(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the cluster ends says nothing of whom it did not reach."""
    read = loaded(RoundSettings, environment(container_of("gcp", f"graph-api-{command}", command)), monkeypatch)
    assert isinstance(read, RoundSettings)
    job = workloads(documents()["gcp-standard"])[f"graph-api-{command}"].arguments["spec"]["job_template"]["spec"]

    tries = job["backoff_limit"] + 1
    assert tries > 1
    assert read.round_timeout.total_seconds() * tries < job["active_deadline_seconds"]
