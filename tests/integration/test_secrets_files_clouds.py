"""Files made of what the clouds' secret managers keep: a real sidecar, which is what its pod is and nothing more."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING

import pytest

from fixtures.fix_threads import ServiceProcess
from fixtures.secret_source_worlds import ASSERTION, cloud_world, document
from fixtures.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fixtures.secret_source_worlds import CloudWorld

CANARIES = ["canary-of-the-first-version", "canary-of-the-second-version"]
SOURCES: dict[str, Callable[[str], dict[str, str]]] = {
    "aws": lambda url: {"kind": "aws", "region": "eu-central-1", "endpoint": url},
    "gcp": lambda url: {"kind": "gcp", "project": "project-1", "endpoint": url},
    "azure": lambda url: {"kind": "azure", "vault_url": url},
}


@pytest.mark.parametrize("cloud", SOURCES)
def test_what_a_cloud_keeps_is_in_a_file_and_so_is_its_next_version_and_nothing_of_it_is_anywhere_else(
    cloud: str, tmp_path: Path, memory_folder: Path
) -> None:
    """The log is at debug, the manager fails once, and the pod's token and what was made of it are canaries too."""
    name = f"app-{uuid.uuid4().hex[:12]}"
    with cloud_world(cloud, tmp_path) as world:
        world.put(name, document(key=CANARIES[0]))
        process = started(cloud, world, name, tmp_path, memory_folder)
        try:
            file = memory_folder / "key"
            wait_until(lambda: file.exists() and file.read_text() == CANARIES[0])
            world.fail(503)
            wait_until(lambda: "secrets.source_unavailable" in "".join(process.log))
            world.put(name, document(key=CANARIES[1]))
            world.fail(None)

            wait_until(lambda: file.read_text() == CANARIES[1])
        finally:
            process.terminate()

        shown = "".join(process.log)
        secrets = [*CANARIES, ASSERTION, *world.issuer.issued, "aws-secret"]
        assert [secret for secret in secrets if secret in shown] == []
        assert list(memory_folder.iterdir()) == []


def started(cloud: str, world: CloudWorld, name: str, folder: Path, files: Path) -> ServiceProcess:
    """Start a sidecar in a pod of that cloud."""
    config = folder / "config"
    config.mkdir()
    (config / "secrets.yaml").write_text(
        json.dumps(
            {
                "sources": {"cloud": SOURCES[cloud](world.url)},
                "secrets": {"api": {"source": "cloud", "name": name, "interval": 1}},
                "files": [{"file": "key", "value": "api.key"}],
            }
        )
    )
    environment = {
        "AETERNA_SECRETS_CONFIG": str(config),
        "AETERNA_SECRETS_FILES": str(files),
        "AETERNA_SECRETS_SOCKET": str(folder / "secrets.sock"),
        "AETERNA_SECRETS_HEALTH_PORT": "0",
        "AETERNA_SECRETS_LOG_LEVEL": "debug",
        **world.identity(),
    }
    return ServiceProcess("aeterna.secrets", environment)
