"""`aeterna policy validate` and `compare`: the offline entry's words and exit status, handed on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from aeterna.cli.main import run
from fixtures.policy_bundles import bundle

if TYPE_CHECKING:
    from pathlib import Path

VIEW = '@id("view") permit (principal, action == Action::"view", resource);'
FORBID = '@id("f") forbid (principal, action == Action::"view", resource) when { resource.secret };'


def folder(at: Path, *policies: str) -> str:
    at.mkdir()
    for path, text in bundle(*policies).files().items():
        (at / path).write_text(text)
    return str(at)


def test_policies_that_oppose_each_other_are_refused_with_a_finding(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    status = run(["policy", "validate", folder(tmp_path / "policies", VIEW, FORBID)])

    assert status == 1
    assert capfd.readouterr().out.startswith("all.cedar:1: opposing: ")


def test_clean_policies_are_one_json_document(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    status = run(["policy", "validate", "--json", folder(tmp_path / "policies", VIEW)])

    assert status == 0
    assert json.loads(capfd.readouterr().out)["findings"] == []


def test_a_comparison_names_who_gains(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    status = run(["policy", "compare", folder(tmp_path / "a", VIEW, FORBID), folder(tmp_path / "b", VIEW)])

    assert status == 0
    assert "+ gains" in capfd.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [["validate"], ["validate", "/nowhere"], ["compare", "/"], ["validate", "--json", "--format", "github", "/"]],
    ids=["no folder", "no such folder", "one folder of two", "two shapes at once"],
)
def test_wrong_usage_is_status_2(arguments: list[str]) -> None:
    assert run(["policy", *arguments]) == 2


def test_a_folder_whose_name_looks_like_an_option_is_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    folder(tmp_path / "--json", VIEW)
    monkeypatch.chdir(tmp_path)

    assert run(["policy", "validate", "--", "--json"]) == 0
    assert capfd.readouterr().out.startswith("clean")
