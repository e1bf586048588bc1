"""Shows that the control plane of the tests judges as a real one does: what leans on it would pass without it."""

from __future__ import annotations

import socket
import threading
from queue import Queue
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from fixtures.kube_client import KubeRefusedError
from fixtures.kube_manifests import Translator, UntranslatableError

if TYPE_CHECKING:
    from fixtures.kube_cluster import KubeCluster

pytestmark = [pytest.mark.needs("go", "etcd"), pytest.mark.timeout(1800)]

TLS_HANDSHAKE = b"\x16"


def pod(namespace: str, name: str = "idle", **container: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of a container
    """Return a pod that asks for nothing."""
    containers = [{"name": "app", "image": "example.com/app:1", **container}]
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": containers}}


def first_byte(listener: socket.socket, called: Queue[bytes]) -> None:
    """Tell the first byte of the first connection, and close it."""
    connection, _ = listener.accept()
    with connection:
        called.put(connection.recv(1))


def test_a_field_that_the_schema_has_not_is_refused(cluster: KubeCluster) -> None:
    namespace = cluster.namespace()

    with pytest.raises(KubeRefusedError, match="imagePolicy: field not declared in schema"):
        cluster.client.apply(pod(namespace, imagePolicy="Always"))


def test_a_pod_that_is_not_restricted_is_refused_where_that_is_enforced(cluster: KubeCluster) -> None:
    namespace = cluster.namespace(labels={"pod-security.kubernetes.io/enforce": "restricted"})

    with pytest.raises(KubeRefusedError, match='violates PodSecurity "restricted:latest"') as refused:
        cluster.client.apply(pod(namespace))

    assert refused.value.status == 403


def test_a_pod_over_the_quota_is_refused(cluster: KubeCluster) -> None:
    namespace = cluster.namespace()
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "one", "namespace": namespace}}
    cluster.client.apply({**quota, "spec": {"hard": {"pods": "1"}}})
    cluster.settle_quota(namespace, "one")
    cluster.client.apply(pod(namespace, "first"))

    with pytest.raises(KubeRefusedError, match="exceeded quota: one, requested: pods=1, used: pods=1, limited: pods=1"):
        cluster.client.apply(pod(namespace, "second"))


def test_what_a_container_leaves_open_is_filled_in_by_the_limits_of_its_namespace(cluster: KubeCluster) -> None:
    namespace = cluster.namespace()
    limits = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "limits", "namespace": namespace}}
    cluster.client.apply({**limits, "spec": {"limits": [{"type": "Container", "default": {"memory": "64Mi"}}]}})

    admitted = cluster.client.apply(pod(namespace))

    assert admitted["spec"]["containers"][0]["resources"]["limits"] == {"memory": "64Mi"}


def test_a_token_of_a_service_account_is_verified_by_the_keys_that_the_cluster_tells(cluster: KubeCluster) -> None:
    namespace = cluster.namespace()
    keys = jwt.PyJWKSet.from_dict(cluster.client.request("GET", "/openid/v1/jwks"))

    token = cluster.client.token(namespace, "default", "aeterna", seconds=600)

    key = keys[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, key, ["RS256"], audience="aeterna", issuer=cluster.issuer)
    assert claims["sub"] == f"system:serviceaccount:{namespace}:default"
    assert cluster.client.request("GET", "/.well-known/openid-configuration")["issuer"] == cluster.issuer


def test_a_service_account_may_do_only_what_its_roles_say(cluster: KubeCluster) -> None:
    namespace = cluster.namespace()
    token = cluster.client.token(namespace, "default", cluster.issuer)

    with cluster.as_bearer(token) as client, pytest.raises(KubeRefusedError, match='cannot list resource "pods"'):
        client.list("v1", "Pod", namespace=namespace)


def test_a_webhook_that_nobody_answers_refuses_the_pod(cluster: KubeCluster) -> None:
    namespace = cluster.namespace()
    nobody = {"url": "https://127.0.0.1:9/inject"}

    with cluster.webhook("nobody", nobody, namespace), pytest.raises(KubeRefusedError, match="failed calling webhook"):
        cluster.client.create(pod(namespace))


def test_whoever_listens_at_the_address_of_a_service_is_the_service(cluster: KubeCluster) -> None:
    """No proxy of the cluster is needed for a webhook that is named by its service."""
    namespace = cluster.namespace()
    metadata = {"name": "here", "namespace": namespace}
    spec = {"ports": [{"port": 8443, "protocol": "TCP"}]}
    service = cluster.client.apply({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec})
    config = {"service": {"name": "here", "namespace": namespace, "port": 8443, "path": "/inject"}}
    called: Queue[bytes] = Queue()

    with socket.create_server((service["spec"]["clusterIP"], 8443)) as listener:
        threading.Thread(target=first_byte, args=(listener, called), daemon=True).start()
        with (
            cluster.webhook("here", config, namespace),
            pytest.raises(KubeRefusedError, match="failed calling webhook"),
        ):
            cluster.client.create(pod(namespace))

    assert called.get(timeout=10) == TLS_HANDSHAKE


MISSAID: list[tuple[dict[str, Any], str]] = [
    ({"spec": [{"container": [{"name": "app", "imag": "x"}]}]}, r"container\[0\].imag: the server knows none of it"),
    ({"spec": [{"node_selector": [{}, {}]}]}, "there are 2 where the server has one"),
    ({"spec": [{"hostname": [{"a": "b"}]}]}, "is a block where the server has a value"),
    ({"spec": [{"container": [{"name": "app", "command": "x", "commands": "y"}]}]}, "knows none of it"),
]


@pytest.mark.parametrize(
    ("said", "problem"),
    MISSAID,
    ids=["an unknown argument", "two blocks for one", "a block for a value", "a plural of its own"],
)
def test_what_has_no_place_in_the_schema_of_the_server_is_not_left_out(
    cluster: KubeCluster, said: dict[str, Any], problem: str
) -> None:
    with pytest.raises(UntranslatableError, match=problem):
        Translator(cluster.client).manifest("kubernetes_pod_v1", said)


def test_a_resource_of_the_provider_is_said_in_the_words_of_the_server(cluster: KubeCluster) -> None:
    """Plurals, numbers in texts, octal modes, empty blocks, and bytes; what is not said is left out."""
    volumes = [
        {"name": "a", "empty_dir": [{"medium": None, "size_limit": None}], "config_map": []},
        {"name": "b", "config_map": [{"name": "c", "default_mode": "0440", "items": [{"key": "k", "path": "p"}]}]},
        {"name": "d", "projected": [{"sources": [{"downward_api": [{"items": [{"path": "p"}]}]}]}]},
    ]
    probe = {"http_get": [{"path": "/live", "port": "8080", "http_header": [{"name": "A", "value": "b"}]}]}
    container = {"name": "app", "image": "x", "liveness_probe": [probe], "env": [{"name": "E", "value": ""}]}
    translator = Translator(cluster.client)

    pod = translator.manifest(
        "kubernetes_pod_v1", {"id": None, "spec": [{"volume": volumes, "container": [container]}]}
    )
    secret = translator.manifest("kubernetes_secret_v1", {"metadata": [{"name": "s", "uid": "x"}], "data": {"k": "v"}})

    get = {"path": "/live", "port": 8080, "httpHeaders": [{"name": "A", "value": "b"}]}
    assert pod == {
        "apiVersion": "v1",
        "kind": "Pod",
        "spec": {
            "volumes": [
                {"name": "a", "emptyDir": {}},
                {"name": "b", "configMap": {"name": "c", "defaultMode": 0o440, "items": [{"key": "k", "path": "p"}]}},
                {"name": "d", "projected": {"sources": [{"downwardAPI": {"items": [{"path": "p"}]}}]}},
            ],
            "containers": [
                {"name": "app", "image": "x", "livenessProbe": {"httpGet": get}, "env": [{"name": "E"}]},
            ],
        },
    }
    assert secret == {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"k": "dg=="}}
