"""Clouds are found by the entry points of what is installed, and nothing else."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from aeterna.synth.errors import UnknownCloudError
from aeterna.synth.registry import cloud, clouds

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def fourth_cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a distribution that offers a cloud: a folder on the path with metadata in it, as any other."""
    metadata = tmp_path / "aeterna_fourth-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: aeterna-fourth\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[aeterna.clouds]\nfourth = fourth_cloud:FOURTH\n")
    (tmp_path / "fourth_cloud.py").write_text(
        "from types import SimpleNamespace\nFOURTH = SimpleNamespace(name='fourth')\n"
    )
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])


def test_a_new_cloud_is_found_without_an_edit_anywhere(fourth_cloud: None) -> None:
    assert "fourth" in clouds()
    assert isinstance(cloud("fourth"), SimpleNamespace)


def test_naming_a_cloud_imports_only_that_one(fourth_cloud: None) -> None:
    clouds()

    assert "fourth_cloud" not in sys.modules or cloud("fourth").name == "fourth"


def test_an_unknown_cloud_is_an_error_that_names_those_installed(fourth_cloud: None) -> None:
    with pytest.raises(UnknownCloudError, match=r"no cloud 'mars' is installed; installed: .*fourth"):
        cloud("mars")
