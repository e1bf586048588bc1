"""What an admission costs: the injector and a webhook as one would first write it, each bound to one core, over TLS."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import sys
from pathlib import Path
from typing import Any

import jsonpatch
from policy_servers import Server, connected, free_port, measure, paced, percentile, post, running

from aeterna.contracts.injection import Installation, names
from aeterna.contracts.platform import FailurePolicy
from aeterna.contracts.workloads import Tenancy, Workloads
from fixtures.serving_pair import MountedSecret, TestAuthority

RATE = 100.0
SECONDS = 30.0
REVIEWS = 4_000
CORE = "1"
NAIVE = Path(__file__).with_name("naive_webhook.py")


def pod(number: int) -> dict[str, Any]:
    """Return a pod as a ReplicaSet's controller sends it: an agent and a proxy, with what the API server fills in."""
    agent = {
        "name": "agent",
        "image": f"registry.example/agents/summariser@sha256:{number:064x}",
        "ports": [{"name": "http", "containerPort": 8090, "protocol": "TCP"}],
        "env": [{"name": f"SETTING_{index}", "value": f"value-{index}"} for index in range(12)],
        "resources": {"requests": {"cpu": "250m", "memory": "512Mi"}, "limits": {"memory": "512Mi"}},
        "volumeMounts": [
            {"name": "kube-api-access-7x9kq", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}
        ],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "imagePullPolicy": "IfNotPresent",
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "generateName": f"summariser-{number % 1000:x}-",
            "namespace": "acme-agents",
            "labels": {"app": "summariser", "pod-template-hash": f"{number % 1000:x}"},
            "annotations": {names.INJECT: "policy,secrets", names.SECRETS_CONFIG: "summariser"},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "summariser", "uid": "u"}],
        },
        "spec": {
            "containers": [agent, {**agent, "name": "proxy", "ports": []}],
            "volumes": [{"name": "kube-api-access-7x9kq", "projected": {"sources": [], "defaultMode": 420}}],
            "restartPolicy": "Always",
            "serviceAccountName": "summariser",
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
            "schedulerName": "default-scheduler",
            "tolerations": [{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"}],
        },
    }


def review(number: int) -> bytes:
    """Return the whole request that the API server sends for the pod."""
    made = pod(number)
    body: dict[str, object] = {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": f"00000000-0000-0000-0000-{number:012d}",
            "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "resource": {"group": "", "version": "v1", "resource": "pods"},
            "namespace": "acme-agents",
            "operation": "CREATE",
            "userInfo": {"username": "system:serviceaccount:kube-system:replicaset-controller", "groups": []},
            "object": made,
            "oldObject": None,
            "dryRun": False,
            "options": {"apiVersion": "meta.k8s.io/v1", "kind": "CreateOptions"},
        },
    }
    return post("/inject?timeout=5s", json.dumps(body).encode())


def definition(folder: Path) -> tuple[Path, Path]:
    """Write what is injected, and whose the namespace is."""
    installation = Installation(
        registry="registry.example/aeterna",
        version="1.0.0",
        namespace="aeterna",
        graph_url="https://graph-api.aeterna.svc:8081",
        threads_url="https://threads.aeterna.svc:8082",
        policies_url="https://policies.aeterna.svc:8185",
        bundle_url="https://policies.aeterna.svc:8185/api/v1/bundle",
        failure_policy=FailurePolicy.FAIL,
        issuer="https://id.example",
        jwks="https://id.example/jwks.json",
        workload_issuer="https://kubernetes.default.svc",
    )
    workloads = Workloads(namespaces={"acme-agents": Tenancy(tenant="acme", roles=("runner",))})
    (folder / "installation.json").write_text(installation.document())
    (folder / "workloads.json").write_text(workloads.document())
    return folder / "installation.json", folder / "workloads.json"


def servers(folder: Path) -> tuple[Server, Server]:
    """Return the injector and its peer, each on one core."""
    installation, workloads = definition(folder)
    authority, pair = TestAuthority(), MountedSecret(folder / "tls")
    pair.put(*authority.pair())
    tls = ssl.create_default_context(cadata=authority.pem().decode())
    tls.check_hostname = False  # the connections do not say whom they want
    requests = [review(number) for number in range(512)]
    port, probes, naive = free_port(), free_port(), free_port()
    python = ["taskset", "-c", CORE, sys.executable, "-P"]
    ours = Server(
        name="injector",
        command=[*python, "-m", "aeterna.injector"],
        port=port,
        ready_path=b"/ready",
        ready_port=probes,
        requests=requests,
        tls=tls,
        environment={
            "AETERNA_INJECTOR_PORT": str(port),
            "AETERNA_INJECTOR_HEALTH_PORT": str(probes),
            "AETERNA_INJECTOR_INSTALLATION": str(installation),
            "AETERNA_INJECTOR_WORKLOADS": str(workloads),
            "AETERNA_INJECTOR_TLS_CERTIFICATE_FILE": str(pair.certificate),
            "AETERNA_INJECTOR_TLS_KEY_FILE": str(pair.key),
            "AETERNA_INJECTOR_UPKEEP": "false",
            "AETERNA_INJECTOR_LOG_LEVEL": "warning",
        },
    )
    peer = Server(
        name="naive webhook",
        command=[
            *(*python, str(NAIVE), str(installation), str(workloads)),
            *(str(naive), str(pair.certificate), str(pair.key)),
        ],
        port=naive,
        ready_path=b"/ready",
        requests=requests,
        tls=tls,
        environment={},
    )
    return ours, peer


async def operations(server: Server, request: bytes) -> list[dict[str, Any]]:
    """Return the operations that the server answers."""
    async with connected(server.port, server.tls) as connection:
        response = json.loads(await connection.ask(request))["response"]
    return json.loads(base64.b64decode(response["patch"]))


def alike(ours: Server, peer: Server) -> None:
    """End the benchmark unless both patches make the same pod: what injects less costs less."""
    before = pod(0)
    with running(ours), running(peer):
        results = [
            jsonpatch.apply_patch(before, asyncio.run(operations(server, ours.requests[0]))) for server in (ours, peer)
        ]
    if results[0] != results[1] or results[0] == before:
        raise SystemExit("the two webhooks do not inject the same")


def report(folder: Path) -> dict[str, object]:
    """Measure both and return the figures."""
    ours, peer = servers(folder)
    alike(ours, peer)
    with running(ours):
        asyncio.run(paced(ours, per_second=RATE, seconds=2))
        taken = asyncio.run(paced(ours, per_second=RATE, seconds=SECONDS))
    with running(peer):
        asyncio.run(paced(peer, per_second=RATE, seconds=2))
        naive = asyncio.run(paced(peer, per_second=RATE, seconds=SECONDS))
    mine, theirs = measure(ours, REVIEWS), measure(peer, REVIEWS // 4)
    return {
        "pods_per_second": RATE,
        "request_bytes": len(ours.requests[0]),
        "p50_ms": round(percentile(taken, 50), 2),
        "p99_ms": round(percentile(taken, 99), 2),
        "worst_ms": round(max(taken) * 1000, 2),
        "cpu_us": round(mine.cpu_us, 1),
        "most_per_second": round(mine.per_second),
        "ready_ms": round(mine.ready_ms),
        "rss_mb": round(mine.rss_mb),
        "naive": {
            "p99_ms": round(percentile(naive, 99), 2),
            "cpu_us": round(theirs.cpu_us, 1),
            "most_per_second": round(theirs.per_second),
        },
        "times_less_cpu": round(theirs.cpu_us / mine.cpu_us, 1),
    }
