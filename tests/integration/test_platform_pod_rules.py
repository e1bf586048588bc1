"""Shows that the pods of the tests are run by the kubelet's rules where an agent's own pod does not come to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fixtures.agent_pod import agent
from fixtures.kube_image import program
from fixtures.kube_pod import PodRun
from fixtures.kube_volumes import UnsupportedError
from fixtures.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from fixtures.kube_cluster import KubeCluster

pytestmark = [pytest.mark.needs("go", "etcd", "ip", "root"), pytest.mark.timeout(1800)]

STAYS = """
import signal, threading
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
print("here", flush=True)
stop.wait()
"""
NEVER_ENDS = """
import signal, threading
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("here", flush=True)
threading.Event().wait()
"""
FAILS_ONCE = """
import pathlib, sys
mark = pathlib.Path("/data/mark")
if not mark.exists():
    mark.touch()
    sys.exit(3)
"""
WHO = """
import os, pathlib, time
def names():
    for each in filter(str.isdecimal, os.listdir("/proc")):
        yield pathlib.Path("/proc", each, "comm").read_text().strip()
while (found := sorted(names())).count("python") < 2:
    time.sleep(0.02)
print(found, flush=True)
"""


def running(cluster: KubeCluster, folder: Path, spec: dict[str, Any], **programs: str) -> PodRun:
    """Return a pod of these programs, each of which is an image's, admitted and not running yet."""
    pod = agent("pod", cluster.namespace())
    template = pod["spec"]["containers"][0]
    for kind in ("initContainers", "containers"):
        if kind in spec:
            spec[kind] = [{**template, "image": f"example.com/{each['name']}:1", **each} for each in spec[kind]]
    images = {name: program(text) for name, text in programs.items()}
    admitted = cluster.client.create({**pod, "spec": {**pod["spec"], **spec}})
    return PodRun(pod=admitted, cluster=cluster, images=images, folder=folder)


def test_the_sidecar_of_a_job_ends_when_its_work_is_done_and_failed_work_is_done_again(
    cluster: KubeCluster, tmp_path: Path
) -> None:
    """Without native sidecars a Job would never end."""
    mount = {"name": "data", "mountPath": "/data"}
    spec: dict[str, Any] = {
        "restartPolicy": "OnFailure",
        "volumes": [{"name": "data", "emptyDir": {}}],
        "initContainers": [{"name": "beside", "restartPolicy": "Always"}],
        "containers": [{"name": "job", "volumeMounts": [mount]}],
    }

    with running(cluster, tmp_path, spec, beside=STAYS, job=FAILS_ONCE) as pod:
        wait_until(lambda: "here" in pod.containers["beside"].log)
        pod.finish()

    assert pod.events == [
        ("beside", "started"),
        ("job", "started"),
        ("job", "ended 3"),
        ("job", "started"),
        ("job", "ended 0"),
        ("beside", "stopped 0"),
    ]


def test_who_ignores_the_end_is_killed_when_its_time_is_over(cluster: KubeCluster, tmp_path: Path) -> None:
    spec = {"terminationGracePeriodSeconds": 1, "containers": [{"name": "app"}]}

    with running(cluster, tmp_path, spec, app=NEVER_ENDS) as pod:
        wait_until(lambda: "here" in pod.containers["app"].log)

    assert pod.events[-1] == ("app", "killed")


def test_containers_that_share_processes_see_each_other(cluster: KubeCluster, tmp_path: Path) -> None:
    """A sidecar can send a signal to the application in such a pod, and in no other one."""
    spec = {
        "shareProcessNamespace": True,
        "restartPolicy": "Never",
        "initContainers": [{"name": "beside", "restartPolicy": "Always"}],
        "containers": [{"name": "app"}],
    }

    with running(cluster, tmp_path, spec, beside=STAYS, app=WHO) as pod:
        pod.finish()

    assert pod.containers["app"].log.strip() == "['python', 'python', 'sleep']"


@pytest.mark.parametrize(
    ("what", "asked"),
    [
        ("envFrom", {"envFrom": [{"configMapRef": {"name": "some"}}]}),
        ("lifecycle", {"lifecycle": {"preStop": {"exec": {"command": ["true"]}}}}),
    ],
)
def test_what_a_pod_asks_for_and_nobody_does_is_an_error(
    what: str, asked: dict[str, Any], cluster: KubeCluster, tmp_path: Path
) -> None:
    spec = {"containers": [{"name": "app", **asked}]}

    with pytest.raises(UnsupportedError, match=what), running(cluster, tmp_path, spec, app=STAYS):
        pass
