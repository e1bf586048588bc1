"""The offline entry: what it prints, and the exit status by which a build knows whether to stop."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from aeterna.cedar.adapters.directory import DirectoryBundleSource
from aeterna.policies.adapters.analyser import remembering_analyser
from aeterna.policies.api.offline import Offline
from aeterna.policies.domain.findings import Finding, Kind, Place, Report
from fixtures.policy_bundles import SCHEMA, bundle

if TYPE_CHECKING:
    from datetime import timedelta
    from pathlib import Path

    from aeterna.cedar.domain.bundle import Bundle

VIEW = '@id("view") permit (principal, action == Action::"view", resource);'
FORBID = '@id("f") forbid (principal, action == Action::"view", resource) when { resource.secret };'
MEANT = FORBID.replace("forbid", '@guardrail("no secrets") forbid')


class Undecided:
    """An analyser that cannot answer."""

    def analyse(self, bundle: Bundle, *, progress: object = None) -> Report:
        del progress
        place = Place(file="all.cedar", line=1)
        found = Finding(kind=Kind.UNDECIDED, policies=("view",), message="not \x1b[31mknown", place=place)
        return Report(digest=bundle.digest(), findings=(found,), policies=1, pairs=0)

    def compare(self, before: Bundle, after: Bundle) -> tuple[()]:
        del before, after
        return ()


def undecided_analyser(_file: Path | None, _patience: timedelta) -> Undecided:
    return Undecided()


def folder(at: Path, *policies: str, name: str = "policies") -> Path:
    made = at / name
    for path, text in bundle(*policies).files().items():
        (made / path).parent.mkdir(parents=True, exist_ok=True)
        (made / path).write_text(text)
    return made


def run(*arguments: object, color: bool | None = None, undecided: bool = False) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    offline = Offline(
        read=lambda where: DirectoryBundleSource(where).read(),
        analyser=undecided_analyser if undecided else remembering_analyser,
        out=out,
        err=err,
        color=color,
    )
    return offline.run([str(argument) for argument in arguments]), out.getvalue(), err.getvalue()


@pytest.mark.parametrize(
    ("status", "policies"),
    [
        (0, [VIEW]),
        (0, [VIEW, MEANT]),
        (0, [VIEW, VIEW.replace("view", "again", 1)]),
        (1, [VIEW, FORBID]),
        (1, [VIEW, "permit (principal"]),
    ],
    ids=["clean", "meant", "repeated", "opposing", "invalid"],
)
def test_the_exit_status_says_whether_it_may_be_deployed(tmp_path: Path, status: int, policies: list[str]) -> None:
    assert run("validate", folder(tmp_path, *policies))[0] == status


def test_a_finding_is_told_with_its_place_a_request_how_to_ask_it_and_how_to_mend_it(tmp_path: Path) -> None:
    _, said, _ = run("validate", folder(tmp_path, VIEW, FORBID))

    first, *rest = said.splitlines()
    told = "\n".join(rest)
    assert first == "all.cedar:1: opposing: some requests that view permits are denied, because f forbids them"
    for part in (
        "principal  ",
        'action     Action::"view"',
        "secret: true",
        "POST /v1/is_authorized {",
        "@guardrail on f",
    ):
        assert part in told


def test_what_is_asked_is_a_body_that_the_sidecar_reads(tmp_path: Path) -> None:
    _, said, _ = run("validate", folder(tmp_path, VIEW, FORBID))

    asked = next(line for line in said.splitlines() if "is_authorized" in line)
    body = json.loads(asked.partition("is_authorized ")[2])
    assert body["action"] == 'Action::"view"'
    assert {"principal", "resource", "context", "additional_entities"} < set(body)


def test_what_is_meant_is_counted_and_shown_only_when_asked_for(tmp_path: Path) -> None:
    where = folder(tmp_path, VIEW, MEANT)

    assert "opposing" not in run("validate", where)[1]
    assert "@guardrail of f: no secrets" in run("validate", "--all", where)[1]


def test_json_is_one_document_with_the_verdict(tmp_path: Path) -> None:
    _, said, _ = run("validate", "--json", folder(tmp_path, VIEW, FORBID))

    document = json.loads(said)
    assert (document["refused"], document["undecided"]) == (True, False)
    assert [found["kind"] for found in document["findings"]] == ["opposing"]
    assert document["findings"][0]["example"]["entities"]


def test_a_workflow_is_told_in_its_own_words(tmp_path: Path) -> None:
    where = folder(tmp_path, VIEW, FORBID)

    _, said, _ = run("validate", "--format", "github", where)

    assert said.startswith(f"::error file={where}/all.cedar,line=1,title=opposing::some requests that view permits")


@pytest.mark.parametrize(("arguments", "status"), [((), 0), (("--strict",), 1)], ids=["by default", "strictly"])
def test_what_is_undecided_is_a_warning_that_strictness_refuses(
    tmp_path: Path, arguments: tuple[str, ...], status: int
) -> None:
    done, said, _ = run("validate", *arguments, folder(tmp_path, VIEW), undecided=True)

    assert done == status
    assert "1 undecided: this is not known to be clean" in said
    assert "\nclean" not in said


def test_without_patience_nothing_is_decided(tmp_path: Path) -> None:
    status, said, _ = run("validate", "--strict", "--patience", "0", folder(tmp_path, VIEW))

    assert status == 1
    assert "ran out of time" in said


def test_no_text_of_a_policy_commands_the_terminal(tmp_path: Path) -> None:
    assert "\x1b" not in run("validate", folder(tmp_path, VIEW), undecided=True)[1]


def test_colours_are_for_those_who_want_them(tmp_path: Path) -> None:
    where = folder(tmp_path, VIEW, FORBID)

    assert "\x1b[" in run("validate", where, color=True)[1]
    assert "\x1b[" not in run("validate", where)[1]


def test_a_folder_that_is_no_bundle_is_an_error_of_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.cedar").write_text(VIEW)

    status, said, error = run("validate", tmp_path)

    assert (status, said, error.count("\n")) == (1, "", 1)
    assert "cedarschema" in error


def test_a_comparison_says_who_gains_with_a_request(tmp_path: Path) -> None:
    old, new = folder(tmp_path, VIEW, FORBID, name="old"), folder(tmp_path, VIEW, name="new")

    status, said, _ = run("compare", old, new)

    assert status == 0
    assert 'User asks Action::"view" of Document\n  + gains, for example:' in said
    assert said.endswith("2 shapes of request gain, 0 lose\n")


def test_a_comparison_of_equals_says_so(tmp_path: Path) -> None:
    where = folder(tmp_path, VIEW)

    assert run("compare", where, where)[1] == "nobody gains and nobody loses\n"


def test_a_comparison_says_that_stored_entities_were_not_compared(tmp_path: Path) -> None:
    old, new = folder(tmp_path, VIEW, name="old"), folder(tmp_path, VIEW, name="new")
    (new / "entities.json").write_text('[{"uid": {"type": "Team", "id": "a"}, "attrs": {}, "parents": []}]')

    assert "stored entities differ too" in run("compare", old, new)[1]
    assert json.loads(run("compare", "--json", old, new)[1])["entities_changed"] is True


def test_a_process_of_its_own_needs_no_service(tmp_path: Path) -> None:
    """FastAPI and the database's driver would be most of the time that a look at a folder takes."""
    code = (
        "import sys; from aeterna.policies.__main__ import run; status = run();"
        "print(sorted(sys.modules), file=sys.stderr); sys.exit(status)"
    )

    done = subprocess.run(
        [sys.executable, "-P", "-c", code, "validate", str(folder(tmp_path, VIEW, FORBID))],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "opposing" in done.stdout
    assert [module for module in ("fastapi", "psycopg", "uvicorn") if f"'{module}'" in done.stderr] == []


def test_the_schema_may_have_any_name(tmp_path: Path) -> None:
    (tmp_path / "other.cedarschema").write_text(SCHEMA)
    (tmp_path / "a.cedar").write_text(VIEW)

    assert run("validate", tmp_path)[0] == 0
