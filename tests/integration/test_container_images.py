"""Builds the image of every service for real, and looks into it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from fixtures.container_images import ROOT, SERVICES, SIDECARS, Buildah, Image, Service, pinned

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [
    pytest.mark.needs("buildah", "debootstrap"),
    pytest.mark.timeout(1800),
    pytest.mark.slow,
]

MEGABYTE = 1024 * 1024
# What an image may add to its base. The graph API carries Arrow and DuckDB, and what reads documents and finds
# communities (33 MB); the administration of policies z3.
LARGEST = {
    "aeterna-policy": 120,
    "aeterna-threads": 180,
    "aeterna-api": 500,
    "aeterna-policies": 180,
    "aeterna-secrets": 120,
    "aeterna-injector": 120,
    "aeterna-relay": 120,
}

each_service = pytest.mark.parametrize("service", [*SERVICES, *SIDECARS], ids=lambda service: service.name)


@each_service
def test_an_image_says_what_it_is(service: Service, image_of: Callable[[str], Image]) -> None:
    labels = image_of(service.name).config["Labels"]

    assert labels["org.opencontainers.image.title"] == service.name
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert labels["org.opencontainers.image.version"] == declared_version(service)


@each_service
def test_an_image_runs_as_nobody(service: Service, image_of: Callable[[str], Image]) -> None:
    """A number and no name, so that a cluster can see without looking inside that it is not root."""
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", image_of(service.name).config["User"])


@each_service
def test_an_image_is_small(service: Service, image_of: Callable[[str], Image], base_image: Image) -> None:
    added = (image_of(service.name).size - base_image.size) / MEGABYTE

    assert added <= LARGEST[service.name]


@each_service
def test_an_image_adds_an_environment_and_nothing_else(
    service: Service, buildah: Buildah, base_image: Image, opened: Callable[[str], Path]
) -> None:
    """Neither the tools that built it, nor a cache, nor what the building machine lent: certificates, configuration."""
    with buildah.mounted(base_image) as base:
        before = contents(base)

    after = contents(opened(service.name))

    changed = {path for path in after.keys() | before.keys() if after.get(path) != before.get(path)}
    assert {path for path in changed if not path.startswith(("opt/venv/", "var/lib/aeterna"))} <= {"opt/venv"}
    assert not {path.name for path in (opened(service.name) / "opt/venv/bin").iterdir()} & {"pip", "uv"}


@each_service
def test_the_bill_of_materials_lists_what_the_lock_pins(service: Service, opened: Callable[[str], Path]) -> None:
    bill = bill_of_materials(service, opened(service.name))

    listed = {part["name"]: part["version"] for part in bill["components"]}
    members = {name for name in listed if name.startswith("aeterna-")}
    assert {name: version for name, version in listed.items() if name not in members} == pinned(service.lock)
    assert service.name in members
    assert "aeterna-contracts" in members


@each_service
def test_the_bill_of_materials_is_the_same_twice(service: Service, opened: Callable[[str], Path]) -> None:
    assert bill_of_materials(service, opened(service.name)) == bill_of_materials(service, opened(service.name))


@each_service
def test_an_image_is_the_same_when_it_is_built_twice(
    service: Service, buildah: Buildah, image_of: Callable[[str], Image]
) -> None:
    """No layer is reused: the second build compiles, installs and writes everything again."""
    first = image_of(service.name)

    second = buildah.build(service, "again")

    assert second.digest == first.digest


def declared_version(service: Service) -> str:
    """Return the version in the distribution's own file."""
    found = re.search(r'^version = "(.+)"$', (ROOT / service.folder / "pyproject.toml").read_text(), re.MULTILINE)
    assert found is not None
    return found[1]


def contents(root: Path) -> dict[str, tuple[int, int]]:
    """Return mode and size of everything in a file system."""
    found: dict[str, tuple[int, int]] = {}
    for path in root.rglob("*"):
        state = path.lstat()
        found[str(path.relative_to(root))] = (state.st_mode, 0 if path.is_dir() else state.st_size)
    return found


def bill_of_materials(service: Service, root: Path) -> Any:  # noqa: ANN401 - JSON of another's shape
    """Return what `.make/sbom.py` says of the image's environment."""
    (site_packages,) = (root / "opt/venv/lib").glob("python*/site-packages")
    done = subprocess.run(
        [sys.executable, "-P", ".make/sbom.py", site_packages, service.name, declared_version(service)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(done.stdout)
