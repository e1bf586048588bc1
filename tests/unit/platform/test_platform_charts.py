"""Charts get the values that their schemas ask for, lead to what the services have, and hold names of secrets only."""

from __future__ import annotations

import ast
import json
import re
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import jsonschema
import pytest
import yaml

from aeterna.contracts.injection.names import POLICY_HEALTH_PORT, SECRETS_HEALTH_PORT
from aeterna.platform.gateway import ROUTES
from aeterna.platform.monitoring import POLICY_HEALTH, SECRETS_HEALTH
from aeterna.platform.names import GRAPH_API, POLICIES, PORTS, THREADS
from aeterna.platform.releases import CHARTS
from aeterna.platform.secrets import stored_keys
from fixtures.platform_documents import CLOUDS, documents, workloads
from fixtures.platform_sites import OPAL, spec
from fixtures.workspace import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Json: TypeAlias = Any  # values of a chart, and a release

NAMES = ("gateway", "monitoring", "secrets")
SOURCES = {
    GRAPH_API: ROOT / "runtime" / "api" / "src" / "aeterna" / "api" / "api",
    THREADS: ROOT / "runtime" / "threads" / "src" / "aeterna" / "threads" / "api",
    POLICIES: ROOT / "runtime" / "policies" / "src" / "aeterna" / "policies" / "api",
}
INSIDE = ("/internal/", "/v1/", "/bundle")
"""What only the platform's own pods ask for: digests between replicas, and bundles for the sidecars."""
VERBS = frozenset({"get", "post", "put", "delete", "patch"})


def release(document: str, chart: str) -> Json:
    """Return a chart's release of a platform."""
    releases = documents()[document].resources("helm_release").values()
    (found,) = (each for each in releases if each["name"] == f"aeterna-{chart}")
    return found


def values(document: str, chart: str) -> Json:
    (text,) = release(document, chart)["values"]
    return json.loads(text)


def schema(chart: str) -> Json:
    return json.loads((CHARTS / chart / "values.schema.json").read_text("utf-8"))


@pytest.mark.parametrize("document", sorted(documents()))
@pytest.mark.parametrize("chart", NAMES)
def test_a_chart_gets_the_values_that_its_schema_asks_for(chart: str, document: str) -> None:
    jsonschema.validate(
        {"runbooks": "docs", **values(document, chart)} if chart == "monitoring" else values(document, chart),
        schema(chart),
    )


@pytest.mark.parametrize("chart", NAMES)
def test_the_values_of_a_chart_that_are_for_reading_are_those_of_its_schema(chart: str) -> None:
    written = yaml.safe_load((CHARTS / chart / "values.yaml").read_text("utf-8"))

    jsonschema.validate(written, schema(chart))
    assert set(written) == set(schema(chart)["properties"]) - {"global"}


def test_every_chart_is_released_and_nothing_else() -> None:
    released = {each["name"] for each in documents()["aws-opal"].resources("helm_release").values()}

    assert released == {f"aeterna-{path.name}" for path in CHARTS.iterdir() if (path / "Chart.yaml").exists()}


def test_no_custom_resource_goes_around_the_charts() -> None:
    assert {name for name, each in documents().items() if each.resources("kubernetes_manifest")} == set()


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_release_comes_after_its_namespace_and_is_taken_back_when_it_fails(cloud: str) -> None:
    for chart in NAMES:
        said = release(f"{cloud}-standard", chart)
        assert "kubernetes_namespace_v1" in said["namespace"]
        assert (said["atomic"], said["create_namespace"]) == (True, False)
        assert said["chart"].startswith("${path.module}/assets/")


def routes(service: str) -> Iterator[str]:
    """Yield the path of every route in a service's own source."""
    for path in SOURCES[service].rglob("*.py"):
        module = ast.parse(path.read_text("utf-8"))
        prefixes = dict(_routers(module))
        for node in ast.walk(module):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in VERBS:
                holder = node.func.value
                if isinstance(holder, ast.Name) and holder.id in prefixes and node.args:
                    yield prefixes[holder.id] + str(ast.literal_eval(node.args[0]))


def _routers(module: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(module):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            made = node.value
            if isinstance(made.func, ast.Name) and made.func.id == "APIRouter":
                prefix = next((each.value for each in made.keywords if each.arg == "prefix"), ast.Constant(""))
                (target,) = (each for each in node.targets if isinstance(each, ast.Name))
                yield target.id, str(ast.literal_eval(prefix))


def leads_to(path: str) -> list[str]:
    """Return the services that the gateway leads a path to, as Gateway API means a prefix: whole parts of a path."""
    return [
        service
        for service, prefixes in ROUTES.items()
        for prefix in prefixes
        if path == prefix or path.startswith(f"{prefix}/")
    ]


@pytest.mark.parametrize("service", SOURCES)
def test_every_public_route_of_a_service_is_led_to_it_and_to_no_other(service: str) -> None:
    public = sorted({path for path in routes(service) if not path.startswith(INSIDE)})

    assert public
    assert [(path, leads_to(path)) for path in public if leads_to(path) != [service]] == []


@pytest.mark.parametrize(
    "path", ["/internal/v1/graph/digest", "/metrics", "/live", "/ready", "/health", "/v1/bundle", "/openapi.json", "/"]
)
def test_what_is_for_the_inside_is_led_nowhere(path: str) -> None:
    assert leads_to(path) == []


@pytest.mark.parametrize("service", SOURCES)
def test_every_prefix_leads_to_a_route_that_there_is(service: str) -> None:
    known = set(routes(service))

    assert [prefix for prefix in ROUTES[service] if not any(path.startswith(prefix) for path in known)] == []


@pytest.mark.parametrize("document", ["aws-opal", "gcp-standard", "azure-dev"])
def test_a_service_is_watched_at_a_port_that_it_has(document: str) -> None:
    services = {
        each["metadata"]["name"]: {port["name"]: port["port"] for port in each["spec"]["port"]}
        for each in documents()[document].resources("kubernetes_service_v1").values()
    }

    for watched in values(document, "monitoring")["services"]:
        assert services[watched["name"]][watched["port"]] == PORTS[watched["name"]]
    for led in values(document, "gateway")["services"]:
        assert led["port"] in services[led["name"]].values()


@pytest.mark.parametrize("document", ["aws-opal", "gcp-standard", "azure-dev"])
def test_every_port_for_metrics_is_watched_by_its_name(document: str) -> None:
    """A container that tells how it is at a port of its own, and whose port nobody looks for, is not seen."""
    watched = {each["port"] for each in values(document, "monitoring")["pods"]}
    ports = {
        (port["name"], port["containerPort"])
        for workload in workloads(documents()[document]).values()
        if workload.kind == "kubernetes_deployment_v1"
        for container in workload.containers("containers", "initContainers")
        for port in container.get("ports", [])
    }
    serving = set(PORTS.values())

    assert {name for name, number in ports if number not in serving} <= watched
    assert (POLICY_HEALTH, POLICY_HEALTH_PORT) in ports
    assert watched - {name for name, _ in ports} <= {SECRETS_HEALTH}, "no pod has a port of that name"
    assert SECRETS_HEALTH_PORT not in serving


@pytest.mark.parametrize("document", ["aws-opal", "aws-standard"])
def test_every_secret_that_a_pod_reads_is_brought_by_external_secrets(document: str) -> None:
    brought = {each["name"]: set(each["files"]) for each in values(document, "secrets")["own"]}
    read = {
        (name, key)
        for workload in workloads(documents()[document]).values()
        for name, key in secrets_of(workload.pod["spec"])
        if not name.startswith("aeterna-tls-")  # the injector's own
    }

    assert read
    assert {
        (name, key) for name, key in read if key not in {None, *brought.get(name, ())} or name not in brought
    } == set()


def secrets_of(said: Json) -> Iterator[tuple[str, str | None]]:
    """Yield the name, and the key if one is named, of every Secret in the spec of a pod."""
    match said:
        case {"secretName": name, **rest}:
            keys = [item["key"] for item in rest.get("items", [])]
            yield from ((name, key) for key in keys or [None])
        case {"secretKeyRef": {"name": name, "key": key}}:
            yield name, key
        case dict():
            yield from secrets_of(list(cast("dict[str, Json]", said).values()))
        case list():
            for inner in cast("list[Json]", said):
                yield from secrets_of(inner)
        case _:
            pass


@pytest.mark.parametrize("document", ["aws-opal", "aws-standard"])
def test_the_opal_clients_token_is_brought_to_every_tenant_and_only_where_there_is_one(document: str) -> None:
    theirs = values(document, "secrets")["theirs"]

    assert [each["namespaces"] for each in theirs] == (
        [["acme-blue", "acme-green", "umbrella"]] if document.endswith("opal") else []
    )


def test_the_keys_of_the_store_are_told_and_named_so_that_every_store_takes_them() -> None:
    plain, opal = stored_keys(spec()), stored_keys(spec(opal=OPAL))

    assert set(plain) < set(opal)
    assert all(re.fullmatch(r"[0-9A-Za-z-]{1,127}", key) for key in opal), "Azure's vault takes no other names"
    assert "aeterna-opal-client-token" in opal


def test_the_operations_guide_names_every_key_of_the_store() -> None:
    page = (ROOT / "docs" / "guide" / "platform-operations.md").read_text("utf-8")

    assert [key for key in stored_keys(spec()) if f"`{key}`" not in page] == []


@pytest.mark.parametrize("path", sorted(CHARTS.rglob("*")), ids=lambda path: str(path.relative_to(CHARTS)))
def test_a_chart_holds_nothing_that_is_not_its_own(path: Path) -> None:
    """No dependency that is fetched when it is applied, and no definition of a resource that is somebody else's."""
    assert path.name not in {"Chart.lock", "requirements.yaml", "charts", "crds"}
    if path.name == "Chart.yaml":
        assert "dependencies" not in yaml.safe_load(path.read_text("utf-8"))
