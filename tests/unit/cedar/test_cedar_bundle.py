"""Bundles in a folder, and the digest that names their content."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeterna.cedar.adapters.directory import DirectoryBundleSource
from aeterna.cedar.domain.bundle import Bundle
from aeterna.cedar.errors import BundleInvalidError, BundleUnreadableError

if TYPE_CHECKING:
    from pathlib import Path


def test_a_folder_is_a_bundle(bundle_folder: Path) -> None:
    bundle = DirectoryBundleSource(bundle_folder).read()

    assert set(bundle.policies) == {"aeterna.cedar"}
    assert "namespace Aeterna" in bundle.schema
    assert '"admin"' in bundle.entities["entities.json"]


def test_other_files_beside_it_do_not_matter(bundle_folder: Path) -> None:
    before = DirectoryBundleSource(bundle_folder).read().digest()
    (bundle_folder / "README.md").write_text("what this is")

    assert DirectoryBundleSource(bundle_folder).read().digest() == before


def test_a_mounted_configmap_is_read_as_one_version(tmp_path: Path, bundle_folder: Path) -> None:
    """Kubernetes points `..data` at the version and links each file through it."""
    mount = tmp_path / "mount"
    mount.mkdir()
    bundle_folder.rename(mount / "..2026_11_22")
    (mount / "..data").symlink_to("..2026_11_22")
    for file in (mount / "..data").iterdir():
        (mount / file.name).symlink_to(f"..data/{file.name}")

    assert set(DirectoryBundleSource(mount).read().policies) == {"aeterna.cedar"}


@pytest.mark.parametrize("missing", ["aeterna.cedar", "aeterna.cedarschema"])
def test_a_folder_without_policies_or_schema_is_no_bundle(missing: str, bundle_folder: Path) -> None:
    (bundle_folder / missing).unlink()

    with pytest.raises(BundleUnreadableError):
        DirectoryBundleSource(bundle_folder).read()


def test_two_schemas_are_no_bundle(bundle_folder: Path) -> None:
    (bundle_folder / "other.cedarschema").write_text("namespace Other {}")

    with pytest.raises(BundleUnreadableError):
        DirectoryBundleSource(bundle_folder).read()


def test_a_file_that_is_no_text_is_no_bundle(bundle_folder: Path) -> None:
    (bundle_folder / "aeterna.cedar").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(BundleUnreadableError, match="UnicodeDecodeError"):
        DirectoryBundleSource(bundle_folder).read()


def test_a_folder_that_is_too_large_is_not_read(bundle_folder: Path) -> None:
    with (bundle_folder / "huge.cedar").open("wb") as file:
        file.truncate(17 * 1024 * 1024)

    with pytest.raises(BundleUnreadableError, match="larger"):
        DirectoryBundleSource(bundle_folder).read()


def test_the_digest_tells_apart_what_only_moved_between_files() -> None:
    bundles = [
        Bundle(policies={"a": "xy", "b": "z"}, schema="s"),
        Bundle(policies={"a": "x", "b": "yz"}, schema="s"),
        Bundle(policies={"ax": "y", "b": "z"}, schema="s"),
        Bundle(policies={"a": "xy"}, schema="s", entities={"e": "z"}),
        Bundle(policies={"a": "xy", "b": "z"}, schema="S"),
    ]

    assert len({bundle.digest() for bundle in bundles}) == len(bundles)


def test_the_digest_does_not_depend_on_the_order_of_files() -> None:
    one = Bundle(policies={"a": "x", "b": "y"}, schema="s")
    two = Bundle(policies={"b": "y", "a": "x"}, schema="s")

    assert one.digest() == two.digest()


@pytest.mark.parametrize("folder", ["policies/tenants/acme", "Tenants/acme"])
def test_a_tenants_file_in_the_wrong_place_is_not_everybodys(folder: str) -> None:
    bundle = Bundle.of(
        {"a.cedarschema": "", "a.cedar": "", f"{folder}/own.cedar": "permit (principal, action, resource);"}
    )

    with pytest.raises(BundleInvalidError, match="only at the top"):
        bundle.tenants()
