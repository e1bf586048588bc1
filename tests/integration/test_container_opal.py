"""OPAL's image: another's programs in an environment of their own, unprivileged, on a root that cannot be written."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from packaging.utils import canonicalize_name

from fixtures import opal
from fixtures.container_images import OPAL, Image, pinned
from fixtures.container_process import Container
from fixtures.fix_live_runtime import wait_until
from fixtures.policy_fleet import FILES
from fixtures.policy_repository import PolicyRepository

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

pytestmark = [
    pytest.mark.needs("buildah", "debootstrap", "git"),
    pytest.mark.timeout(1800),
    pytest.mark.slow,
]

LIST = "import importlib.metadata as m, json; print(json.dumps({d.name: d.version for d in m.distributions()}))"


@pytest.fixture(scope="module")
def image(image_of: Callable[[str], Image]) -> Image:
    """Return the server's image, which holds all that the client's does."""
    return image_of(OPAL.name)


@pytest.fixture(scope="module")
def root(image: Image, opened: Callable[[str], Path]) -> Path:
    """Return its file system."""
    assert image.digest
    return opened(OPAL.name)


def test_it_runs_as_nobody_and_says_whose_programs_it_holds(image: Image) -> None:
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", image.config["User"])
    assert image.config["Labels"]["org.opencontainers.image.title"] == OPAL.name
    assert image.config["Labels"]["org.opencontainers.image.version"] == pinned(OPAL.lock)["opal-server"]


def test_it_holds_what_the_lock_pins_and_nothing_of_ours(image: Image, root: Path) -> None:
    listed = Container(image, root, {}).run("python", "-c", LIST)

    found = {canonicalize_name(name): version for name, version in json.loads(listed.stdout).items()}
    assert found == pinned(OPAL.lock)


def test_the_server_serves_policies_and_schema_of_a_repository(image: Image, root: Path, tmp_path: Path) -> None:
    """It is told nothing of extensions here: without both of them it would serve an empty bundle."""
    folder = tmp_path / "repository"
    repository = PolicyRepository(folder, FILES)
    given_to_nobody(folder, image)
    port = opal.free_port()
    settings = {
        "OPAL_SERVER_HOST": "127.0.0.1",
        "OPAL_SERVER_BIND_PORT": str(port),
        "OPAL_POLICY_REPO_URL": repository.url.replace(str(folder), "/run/repository"),
    }

    with running(Container(image, root, {folder: "/run/repository"}), "opal-server", settings):
        bundle = answer(f"http://127.0.0.1:{port}/policy")

    assert {module["path"]: module["rego"] for module in bundle["policy_modules"]} == FILES


def test_the_client_runs_without_git_and_waits_for_its_server(image: Image, root: Path) -> None:
    """The client's own image has no git; this one's PATH is cut down to the environment."""
    port = opal.free_port()
    settings = {"PATH": "/opt/venv/bin", "OPAL_CLIENT_API_SERVER_PORT": str(port)}
    settings |= {"OPAL_POLICY_STORE_AUTH_TOKEN": "secret", "OPAL_SERVER_URL": "http://127.0.0.1:9"}

    with running(Container(image, root, {}), "opal-client", settings):
        status = answer(f"http://127.0.0.1:{port}/ready", status=503)

    assert status == {"status": "unavailable"}


def given_to_nobody(folder: Path, image: Image) -> None:
    """Make the image's user the owner of a folder: git reads no repository of another's."""
    user, group = (int(number) for number in image.config["User"].split(":"))
    for path in (folder, *folder.rglob("*")):
        shutil.chown(path, user, group)


@contextmanager
def running(container: Container, program: str, settings: dict[str, str]) -> Generator[None]:
    """Run one of the programs until the block ends."""
    command = container.command([f"/opt/venv/bin/{program}", "run"], settings)
    process = subprocess.Popen(command, env=container.host(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait(opal.PATIENCE)


def answer(url: str, *, status: int = 200) -> Any:  # noqa: ANN401 - JSON of another's shape
    """Wait for an answer of this status, and return it."""
    found: list[httpx.Response] = []

    def answered() -> bool:
        try:
            found.append(httpx.get(url, trust_env=False))
        except httpx.TransportError:
            return False
        return found[-1].status_code == status

    wait_until(answered, opal.PATIENCE)
    return found[-1].json()
