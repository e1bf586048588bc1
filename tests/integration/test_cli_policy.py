"""The command line proposes, deploys and rolls back policies of a served administration."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from fixtures.administration import served_administration
from fixtures.fix_policies import shipped_files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MORE = '@id("more")\npermit (principal, action, resource);\n'


class Command:
    """The command `aeterna policy`, as a process that knows where the administration is."""

    def __init__(self, url: str) -> None:
        told = {f"AETERNA_{name}_URL": url for name in ("GRAPH", "THREADS", "POLICIES")}
        self._environment = {**os.environ, **told, "AETERNA_TOKEN": "platform"}

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one command line."""
        return subprocess.run(
            [sys.executable, "-P", "-m", "aeterna.cli", "policy", *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def command() -> Iterator[Command]:
    """Serve an administration with the shipped policies as version 1."""
    with served_administration() as url:
        yield Command(url)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the shipped policies, and one more in a folder of a tenant's."""
    folder = tmp_path / "policies"
    for path, text in {**shipped_files(), "tenants/acme/a.cedar": MORE, "README.md": "not of a bundle"}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


def test_a_folder_is_proposed_deployed_and_rolled_back(command: Command, folder: Path) -> None:
    proposed = command("propose", str(folder), "-m", "More for acme")
    diff = command("diff", "2", "--effects")
    deployed = command("deploy", "2")
    back = command("rollback", "1", "-m", "Less")
    listed = command("versions", "--json")

    assert proposed.stdout.startswith("version 2 is proposed (sha256:"), proposed.stderr
    assert '+@id("more")' in diff.stdout
    assert "nobody gains" in diff.stdout
    assert deployed.stdout.startswith("version 2 is deployed by ada")
    assert "version 3 is deployed by ada, with the files of version 1" in back.stdout
    assert [one["state"] for one in json.loads(listed.stdout)["versions"]] == ["deployed", "superseded", "superseded"]


def test_a_refused_folder_tells_each_finding_and_ends_with_one(command: Command, folder: Path) -> None:
    (folder / "bad.cedar").write_text(f"{MORE.replace('more', 'bad')}// opposing", encoding="utf-8")

    refused = command("propose", str(folder), "-m", "Bad")

    assert (refused.returncode, refused.stdout) == (1, "bad.cedar:1: opposing: a opposes b\n")
    assert refused.stderr.startswith("error: the bundle is refused; nothing was written\n")


def test_what_is_undecided_is_deployed_only_by_who_accepts_that(command: Command, folder: Path) -> None:
    (folder / "open.cedar").write_text(f"{MORE.replace('more', 'open')}// undecided", encoding="utf-8")

    refused = command("propose", str(folder), "-m", "Open", "--deploy")
    accepted = command("deploy", "2", "--accept-undecided")

    assert (refused.returncode, refused.stdout) == (1, "open.cedar:1: undecided: a and b may oppose each other\n")
    assert "aeterna policy deploy 2 --accept-undecided" in refused.stderr
    assert accepted.stdout.startswith("version 2 is deployed by ada")
    assert "not known to be clean" in accepted.stderr


def test_a_version_is_written_into_a_new_folder_and_nowhere_else(command: Command, tmp_path: Path) -> None:
    written = command("show", "1", "--into", str(tmp_path / "out"))
    again = command("show", "1", "--into", str(tmp_path / "out"))

    assert written.returncode == 0, written.stderr
    assert {path.name: path.read_text("utf-8") for path in (tmp_path / "out").iterdir()} == shipped_files()
    assert (again.returncode, "cannot be written" in again.stderr) == (1, True)


def test_the_audit_is_shown_and_verified(command: Command) -> None:
    shown, verified = command("audit"), command("audit", "--verify")

    assert [line.split("\t")[2] for line in shown.stdout.splitlines()] == ["version.deployed", "version.proposed"]
    assert (verified.returncode, verified.stdout[:26]) == (0, "2 records from 1 to 2 hold")


def test_a_folder_without_a_bundle_is_told_so(command: Command, tmp_path: Path) -> None:
    refused = command("propose", str(tmp_path), "-m", "Nothing")

    assert (refused.returncode, "holds no bundle" in refused.stderr) == (1, True)
