"""Runs an agent's pod as the cluster admitted it: three containers in namespaces, by the kubelet's rules."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from aeterna.contracts.injection.names import SECRETS_FILES, TOKEN_FILE, TRUST
from fixtures.agent_pod import SECRET, USER, AgentWorld
from fixtures.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fixtures.kube_cluster import KubeCluster
    from fixtures.kube_container import Container
    from fixtures.kube_pod import PodRun

pytestmark = [pytest.mark.needs("go", "etcd", "ip", "root"), pytest.mark.timeout(1800)]

POLICY, SECRETS, AGENT = "aeterna-policy", "aeterna-secrets", "agent"
LOOK = """
import json, os, socket
from pathlib import Path
def refused(call):
    try:
        call()
    except OSError as problem:
        return problem.strerror
print(json.dumps({
    "user": os.getuid(),
    "root": refused(lambda: Path("/somewhere").write_text("x")),
    "secrets": refused(lambda: (Path("%s") / "upstream").write_text("x")),
    "outside": refused(lambda: socket.create_connection(("192.0.2.1", 443), 1)),
    "processes": sum(name.isdecimal() for name in os.listdir("/proc")),
}))
"""


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
        (lease,) = world.vault.state.leases

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
    assert world.vault.state.revoked == [lease]


def test_a_rotated_secret_reaches_the_agent(world: AgentWorld, pod: PodRun) -> None:
    value = world.rotate()

    wait_until(lambda: value in pod.containers[AGENT].log)


def test_a_sidecar_that_was_killed_comes_back_with_what_was_deployed_meanwhile(world: AgentWorld, pod: PodRun) -> None:
    """Over the signed feed, the sidecar and its socket: yes and no are the administration's alone."""
    wait_until(lambda: said(pod)["allowed"] is True)
    world.deploy('@id("nobody-reads") forbid(principal, action == Aeterna::Action::"graph.read", resource);')

    pod.containers[POLICY].send(signal.SIGKILL)

    wait_until(lambda: said(pod)["allowed"] is False)
    assert pod.containers[POLICY].starts == 2


def test_a_token_that_the_kubelet_renewed_is_the_one_that_the_sidecar_logs_in_with(
    world: AgentWorld, pod: PodRun
) -> None:
    """A token lives for an hour; whoever read it once at the start would be locked out then."""
    pod.volumes.renew()
    renewed = pod.containers[SECRETS].run("cat", TOKEN_FILE).stdout

    for token in list(world.vault.state.tokens):
        world.vault.state.revoke_token(token)

    wait_until(lambda: any(asked.body.get("jwt") == renewed for asked in world.vault.asked))


def test_what_the_cluster_publishes_anew_is_seen_in_the_pod(world: AgentWorld, pod: PodRun) -> None:
    world.publish({"workloads.json": '{"format": 1, "namespaces": {}}'})

    pod.volumes.renew()

    assert pod.containers[POLICY].run("cat", f"{TRUST}/workloads.json").stdout == '{"format": 1, "namespaces": {}}'


def test_no_secret_is_in_the_environment_or_the_arguments_of_any_process(pod: PodRun) -> None:
    processes = [psutil.Process(each.pid) for each in pod.containers.values() if each.pid is not None]
    everyone = [one for process in processes for one in (process, *process.children(recursive=True))]
    spoken = [Path(f"/proc/{one.pid}/{name}").read_bytes() for one in everyone for name in ("environ", "cmdline")]

    assert len(processes) == 3
    assert [text for text in spoken if SECRET.encode() in text] == []


def test_a_sidecar_needs_less_memory_than_it_is_limited_to(pod: PodRun) -> None:
    """Over its limit it would be killed: the pod runner sets none."""
    limits = {name: pod.containers[name].said["resources"]["limits"]["memory"] for name in (POLICY, SECRETS)}

    used = {name: resident(pod.containers[name]) for name in limits}

    assert {name: f"{used[name] >> 20} of {limit}" for name, limit in limits.items() if used[name] > size(limit)} == {}


def test_the_agent_is_who_it_says_and_can_do_no_more_than_its_pod_lets_it(pod: PodRun) -> None:
    found = pod.containers[AGENT].run("python", "-c", LOOK % SECRETS_FILES)

    assert json.loads(found.stdout) == {
        "user": USER,
        "root": "Read-only file system",
        "secrets": "Read-only file system",
        "outside": "Network is unreachable",
        "processes": 2,
    }, found.stderr


def resident(container: Container) -> int:
    """Return the bytes that all processes of a container hold."""
    assert container.pid is not None
    process = psutil.Process(container.pid)
    return sum(each.memory_info().rss for each in (process, *process.children(recursive=True)))


def size(quantity: str) -> int:
    """Return the bytes of a quantity in mebibytes, which is what all of ours are in."""
    assert quantity.endswith("Mi")
    return int(quantity.removesuffix("Mi")) << 20


def said(pod: PodRun) -> dict[str, object]:
    """Return what the agent saw last."""
    lines = pod.containers[AGENT].log.splitlines()
    found: dict[str, object] = json.loads(lines[-1]) if lines else {"allowed": None}
    return found
