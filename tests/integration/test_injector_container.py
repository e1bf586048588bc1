"""The injector from its image, as a cluster runs it: nobody, on a root that cannot be written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from aeterna.contracts.injection.rights import SERVICES, serving_secret
from fixtures.container_process import Container
from fixtures.kube_client import KubeRefusedError
from fixtures.pods_for_injection import PLATFORM
from fixtures.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fixtures.container_images import Image
    from fixtures.injector_processes import Injectors

pytestmark = [
    pytest.mark.needs("go", "etcd", "buildah", "debootstrap"),
    pytest.mark.timeout(1800),
    pytest.mark.slow,
]

FOLDER = "/run/injector"


def test_it_gives_every_service_its_certificate(
    injectors: Injectors, image_of: Callable[[str], Image], opened: Callable[[str], Path], tmp_path: Path
) -> None:
    container = Container(
        image_of("aeterna-injector"), opened("aeterna-injector"), {mounted(injectors, tmp_path): FOLDER}
    )
    environment = {
        "AETERNA_INJECTOR_PORT": "0",
        "AETERNA_INJECTOR_HEALTH_PORT": "0",
        "AETERNA_INJECTOR_KUBECONFIG": f"{FOLDER}/kubeconfig",
        "AETERNA_INJECTOR_INSTALLATION": f"{FOLDER}/installation.json",
        "AETERNA_INJECTOR_WORKLOADS": f"{FOLDER}/workloads.json",
    }

    with container.serving(environment):
        wait_until(lambda: all(is_there(injectors, serving_secret(service)) for service in SERVICES))


def mounted(injectors: Injectors, folder: Path) -> Path:
    """Return a folder with what a pod of the injector mounts, for anybody to read."""
    kubeconfig = json.loads(injectors.kubeconfig.read_text())
    (folder / "ca.crt").write_text(injectors.cluster.ca_file.read_text())
    kubeconfig["clusters"][0]["cluster"]["certificate-authority"] = f"{FOLDER}/ca.crt"
    (folder / "kubeconfig").write_text(json.dumps(kubeconfig))
    for source in (injectors.installation, injectors.workloads):
        (folder / source.name).write_text(source.read_text())
    folder.chmod(0o755)
    return folder


def is_there(injectors: Injectors, secret: str) -> bool:
    """Tell whether there is such a Secret in the platform's namespace."""
    try:
        return bool(injectors.cluster.client.read("v1", "Secret", secret, namespace=PLATFORM))
    except KubeRefusedError:
        return False
