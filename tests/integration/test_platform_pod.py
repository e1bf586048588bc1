"""Runs an agent's pod as the cluster admitted it: three containers in namespaces, by the kubelet's rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.agent_pod import SECRET, AgentWorld
from fixtures.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fixtures.kube_cluster import KubeCluster
    from fixtures.kube_pod import PodRun

pytestmark = [pytest.mark.needs("go", "etcd", "ip"), pytest.mark.timeout(1800)]

POLICY, SECRETS, AGENT = "aeterna-policy", "aeterna-secrets", "agent"


@pytest.fixture(scope="module")
def world(cluster: KubeCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentWorld]:
    """Return what is around the pods of agents."""
    with AgentWorld(cluster=cluster, folder=tmp_path_factory.mktemp("agents")) as world:
        yield world


@pytest.fixture(scope="module")
def pod(world: AgentWorld) -> Iterator[PodRun]:
    """Return a pod that runs."""
    with world.run("shared") as pod:
        yield pod


def test_what_runs_first_ends_last(world: AgentWorld) -> None:
    """The agent never runs without its policy and its secrets, not even while it drains."""
    with world.run("whole") as pod:
        wait_until(lambda: '"allowed": true' in pod.containers[AGENT].log)

    assert pod.events == [
        (POLICY, "started"),
        (POLICY, "ready"),
        (SECRETS, "started"),
        (SECRETS, "ready"),
        (AGENT, "started"),
        (AGENT, "stopped 0"),
        (SECRETS, "stopped 0"),
        (POLICY, "stopped 0"),
    ]
    assert pod.containers[AGENT].log.endswith("drained\n")
    assert '"allowed": null' not in pod.containers[AGENT].log


def test_a_rotated_secret_reaches_the_agent(world: AgentWorld, pod: PodRun) -> None:
    value = world.rotate()

    wait_until(lambda: value in pod.containers[AGENT].log)
