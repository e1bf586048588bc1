"""Takes the platform of every size through the real engine on each cloud's outputs, and into a real API server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from fixtures.foundations import REGIONS
from fixtures.kube_platform import Planned, elsewhere, planned, pods, refusals, unusable_images
from fixtures.platform_injector import InjectorOfPlatform, agent_of
from fixtures.tofu_engine import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fixtures.deployments import Deployment
    from fixtures.kube_charts import Helm
    from fixtures.kube_cluster import KubeCluster
    from fixtures.tofu_engine import Engine

pytestmark = [pytest.mark.needs("go", "etcd"), pytest.mark.timeout(1800)]

NAMES = ("critical", "dev", "opal", "standard")


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """A planned platform, and its manifests in namespaces of its own."""

    workspace: Workspace
    manifests: Sequence[Planned]


@pytest.fixture(scope="module", params=[(cloud, name) for cloud in sorted(REGIONS) for name in NAMES], ids="-".join)
def platform(
    request: pytest.FixtureRequest,
    deployment_of: Callable[[str], Deployment],
    tofu: Engine,
    furnished: KubeCluster,
    helm: Helm,
) -> Iterator[Platform]:
    """Return each platform on each cloud in turn, validated and planned."""
    from fixtures.platform_stacks import PLATFORMS, stack_id  # noqa: PLC0415 - starts node

    assert sorted(PLATFORMS) == list(NAMES)
    cloud, name = request.param
    workspace = deployment_of(cloud).stack(tofu, stack_id(name))
    workspace.init()
    assert workspace.problems() == []
    plan = workspace.plan()
    manifests = elsewhere(planned(plan, workspace.folder, furnished, helm), f"{cloud}-{name}")
    yield Platform(workspace=workspace, manifests=manifests)
    # It would refuse the pods of every injected namespace from now on: nobody answers it.
    for each in manifests:
        if each.manifest["kind"] == "MutatingWebhookConfiguration":
            furnished.client.delete(each.manifest)


@pytest.mark.needs("ip", "root")
def test_the_injector_of_the_platform_admits_an_agent_as_its_own_deployment_says(
    deployment_of: Callable[[str], Deployment], tofu: Engine, furnished: KubeCluster, helm: Helm, tmp_path: Path
) -> None:
    """Its pod, rights, service and webhook are those of the plan; one key is a secret that somebody else brings."""
    workspace = deployment_of("gcp").stack(tofu, "platform-standard")
    workspace.init()
    manifests = planned(workspace.plan(), workspace.folder, furnished, helm)
    assert refusals(manifests, furnished) == []
    with InjectorOfPlatform(cluster=furnished, manifests=manifests, folder=tmp_path):
        agent = furnished.client.create(agent_of("acme-blue"))

    assert [each["name"] for each in agent["spec"]["initContainers"]] == ["aeterna-policy"]
    assert agent["metadata"]["annotations"]["aeterna.io/status"].startswith("injected sha256:")


def test_the_cluster_takes_every_manifest_and_every_pod_of_it(platform: Platform, furnished: KubeCluster) -> None:
    """Strictly: no field that its schema has not, under Pod Security `restricted`, within the quotas."""
    assert len(platform.manifests) > 20
    assert refusals(platform.manifests, furnished) == []
    assert refusals(list(pods(platform.manifests)), furnished) == []
    assert unusable_images(platform.manifests) == []


@pytest.mark.parametrize("platform", [(cloud, "critical") for cloud in sorted(REGIONS)], ids="-".join, indirect=True)
def test_what_was_applied_needs_no_further_change_and_holds_no_secret(platform: Platform) -> None:
    platform.workspace.apply()

    applied = platform.workspace.state()["values"]["root_module"]["resources"]
    assert not platform.workspace.has_changes()
    assert [each["address"] for each in applied if each["type"].startswith("kubernetes_secret")] == []
