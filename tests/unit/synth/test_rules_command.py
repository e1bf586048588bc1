"""The command runs the rules over synthesized documents, without starting node, and says by its exit what it found."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from aeterna.synth.rules.__main__ import main
from fixtures.rule_documents import document

if TYPE_CHECKING:
    from pathlib import Path

OPEN = document(aws_security_group={"tags": {"a": "b"}, "ingress": [{"cidr_blocks": ["0.0.0.0/0"]}]})
CLOSED = document(aws_security_group={"tags": {"a": "b"}, "ingress": [{"cidr_blocks": ["10.0.0.0/8"]}]})
PROBE = """
import json, sys
started = []
starting = {"subprocess.Popen", "os.posix_spawn", "os.fork", "os.exec"}
sys.addaudithook(lambda event, _: started.append(event) if event in starting else None)
from aeterna.synth.rules.__main__ import main
status = main(sys.argv[1:])
print(json.dumps({"status": status, "started": started, "engine": "jsii" in sys.modules}), file=sys.stderr)
"""


def write(folder: Path, content: object, *, stack: str = "main") -> Path:
    file = folder / "stacks" / stack / "cdk.tf.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(content))
    return file


def test_nothing_wrong_is_a_success(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, CLOSED)

    assert main([str(tmp_path)]) == 0
    assert capsys.readouterr().out.endswith(" 0 errors, 0 warnings, 0 suppressed\n")


def test_a_finding_is_a_failure_that_says_where(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, CLOSED)
    write(tmp_path, OPEN, stack="edge")

    assert main([str(tmp_path)]) == 1
    assert "aws_security_group.x\n  error open-ingress:" in capsys.readouterr().out


def test_a_single_document_may_be_named(tmp_path: Path) -> None:
    assert main([str(write(tmp_path, OPEN))]) == 1


@pytest.mark.parametrize("form", ["json", "sarif"])
def test_the_other_forms_are_json(form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, OPEN)

    assert main([str(tmp_path), "--format", form]) == 1
    assert json.loads(capsys.readouterr().out)


def test_sarif_names_the_line_on_which_a_resource_begins(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Dashboards of code hosts show it there."""
    file = write(tmp_path, CLOSED)
    file.write_text(json.dumps({**OPEN, "data": {"aws_vpc": {"x": {}}}}, indent=2))

    main([str(file), "--format", "sarif"])

    (result,) = json.loads(capsys.readouterr().out)["runs"][0]["results"]
    line = result["locations"][0]["physicalLocation"]["region"]["startLine"]
    assert file.read_text().splitlines()[line - 2 : line] == ['    "aws_security_group": {', '      "x": {']


def test_exceptions_are_read_from_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exceptions = tmp_path / "exceptions.json"
    write(tmp_path, OPEN)
    given = {"rule": "open-ingress", "path": "aws_security_group.x", "reason": "a public door", "until": "2026-01-01"}
    exceptions.write_text(json.dumps([given]))

    assert main([str(tmp_path), "--suppressions", str(exceptions)]) == 1
    assert "suppression-expired: the suppression of open-ingress ended on 2026-01-01" in capsys.readouterr().out


def test_a_rule_may_be_left_out_and_tags_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, OPEN)

    assert main([str(tmp_path), "--without", "open-ingress", "--tag", "owner"]) == 1
    assert "`tags` lacks owner; add it" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "arguments", "problem"),
    [
        (None, [], "holds no cdk.tf.json; synthesize the stacks first"),
        ([], [], "is no document of Terraform"),
        (CLOSED, ["--without", "open"], "there is no rule 'open'"),
        (CLOSED, ["--suppressions", "absent.json"], "absent.json"),
    ],
)
def test_what_cannot_be_looked_at_is_said(
    content: object, arguments: list[str], problem: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        write(tmp_path, content)

    assert main([str(tmp_path), *arguments]) == 2
    assert problem in capsys.readouterr().err


def test_the_rules_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    assert "open-ingress\tdev\tNothing lets everybody in\n" in capsys.readouterr().out


def test_nothing_to_look_at_is_an_error_of_usage() -> None:
    with pytest.raises(SystemExit, match="2"):
        main([])


def test_no_node_is_started(tmp_path: Path) -> None:
    """A pipeline that looks at documents, and a laptop, pay for no engine."""
    write(tmp_path, OPEN)

    done = subprocess.run(
        [sys.executable, "-P", "-c", PROBE, str(tmp_path)], check=False, capture_output=True, text=True
    )

    assert json.loads(done.stderr) == {"status": 1, "started": [], "engine": False}
