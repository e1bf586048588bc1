"""Folders that a bundle is read from, with those of each tenant in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.cedar.adapters.directory import DirectoryBundleSource
from aeterna.cedar.domain.bundle import Bundle

if TYPE_CHECKING:
    from pathlib import Path

OWN = "forbid(principal, action, resource);"


def with_tenant(folder: Path) -> Path:
    """Return the folder with a policy and entities of a tenant in it."""
    tenant = folder / "tenants" / "acme"
    tenant.mkdir(parents=True)
    (tenant / "own.cedar").write_text(OWN)
    (tenant / "entities.json").write_text("[]")
    return folder


def test_each_tenants_folder_is_part_of_the_bundle(bundle_folder: Path) -> None:
    bundle = DirectoryBundleSource(with_tenant(bundle_folder)).read()

    assert bundle.tenants() == ("acme",)
    assert set(bundle.policies) == {"aeterna.cedar", "tenants/acme/own.cedar"}
    assert set(bundle.entities) == {"entities.json", "tenants/acme/entities.json"}


def test_a_projected_volume_with_folders_is_read_as_one_version(tmp_path: Path, bundle_folder: Path) -> None:
    """Kubernetes links the folders of a projected volume through `..data`, as it does its files."""
    mount = tmp_path / "mount"
    mount.mkdir()
    with_tenant(bundle_folder).rename(mount / "..2026_11_22")
    (mount / "..data").symlink_to("..2026_11_22")
    for entry in (mount / "..data").iterdir():
        (mount / entry.name).symlink_to(f"..data/{entry.name}")

    assert set(DirectoryBundleSource(mount).read().policies) == {"aeterna.cedar", "tenants/acme/own.cedar"}


def test_a_version_that_is_swapped_in_is_the_next_that_is_read(tmp_path: Path, bundle_folder: Path) -> None:
    mount = tmp_path / "mount"
    mount.mkdir()
    bundle_folder.rename(mount / "..old")
    (mount / "..data").symlink_to("..old")
    source = DirectoryBundleSource(mount)
    before = source.read()
    (mount / "..new").mkdir()
    for name, text in {**before.files(), "more.cedar": OWN}.items():
        (mount / "..new" / name).write_text(text)
    (mount / "..data_tmp").symlink_to("..new")
    (mount / "..data_tmp").rename(mount / "..data")

    assert set(source.read().policies) == {"aeterna.cedar", "more.cedar"}


def test_a_bundle_is_made_again_of_its_own_files(bundle_folder: Path) -> None:
    bundle = DirectoryBundleSource(with_tenant(bundle_folder)).read()

    again = Bundle.of(bundle.files())

    assert (again, again.digest(), again.schema_file) == (bundle, bundle.digest(), "aeterna.cedarschema")
