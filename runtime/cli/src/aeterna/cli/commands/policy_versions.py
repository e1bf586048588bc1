"""`aeterna policy propose`, `versions`, `show`, `diff`, `deploy` and `rollback`."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from aeterna.cli import output
from aeterna.cli.connection import connect
from aeterna.cli.errors import CommandError
from aeterna.cli.options import json_option, state_dir_option
from aeterna.client import PolicyAcceptanceRequiredError, PolicyRefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.client import Aeterna, PolicyContent, PolicyDiff, PolicyFinding, PolicyVersion

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_SUFFIXES: Final = (".cedar", ".cedarschema")
_ENTITIES: Final = "entities.json"
_HASH: Final = 19  # of a digest, as much as tells two apart: "sha256:" and twelve digits
message_option = click.option("-m", "--message", required=True, help="Why, for those who read the history.")
base_option = click.option(
    "--base", type=click.IntRange(min=0), help="The version you saw; by default what is deployed."
)
request_option = click.option("--request-id", help="Your own id: makes repeating the command harmless.")
accept_option = click.option(
    "--accept-undecided", is_flag=True, help="Deploy it although the analysis left questions open."
)
version_argument = click.argument("version", type=click.IntRange(min=1))


@click.command("propose", short_help="Propose a folder's files as a version.")
@click.argument("folder", type=_FOLDER)
@message_option
@base_option
@request_option
@click.option("--deploy", "at_once", is_flag=True, help="Deploy it when it passes.")
@accept_option
@json_option
@state_dir_option
def propose(
    *,
    folder: Path,
    message: str,
    base: int | None,
    request_id: str | None,
    at_once: bool,
    accept_undecided: bool,
    as_json: bool,
    state_dir: Path | None,
) -> None:
    """Propose the bundle in FOLDER: *.cedar, one *.cedarschema, entities.json, and tenants/<tenant>/ of each.

    It is checked and analysed; what must not decide is refused with every finding, and exit status 1. The files are
    all of those that you may change: what the folder lacks is removed.

    \b
    aeterna policy propose policies -m 'Let auditors read'
    """
    files = bundle_files(folder)
    with connect(state_dir) as aeterna:
        try:
            made = aeterna.policies.propose(files, message=message, base=base, request_id=request_id)
        except PolicyRefusedError as refused:
            _tell_findings([found for found in refused.findings if found.refuses])
            raise CommandError("the bundle is refused; nothing was written", "mend what is told above") from refused
        if at_once:
            made = _deployed(aeterna, made.version, accept_undecided=accept_undecided)
    output.answer(made, as_json=as_json, human=lambda: _tell_version(made))
    if not at_once:
        click.echo(f"deploy it with: aeterna policy deploy {made.version}", err=True)


@click.command("versions", short_help="List the versions.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="How many.")
@json_option
@state_dir_option
def versions(*, limit: int, as_json: bool, state_dir: Path | None) -> None:
    """List the versions that you may see, newest first."""
    with connect(state_dir) as aeterna:
        found = list(islice(aeterna.policies.versions(), limit))
    output.answer(
        {"versions": found},
        as_json=as_json,
        human=lambda: output.table(
            ("version", "state", "created", "author", "digest", "message"),
            [
                (
                    str(one.version),
                    f"{one.state}, undecided" if one.undecided else one.state,
                    one.created_at.isoformat(timespec="seconds"),
                    one.author,
                    one.digest[:_HASH],
                    one.message,
                )
                for one in found
            ],
        ),
    )


@click.command("show", short_help="Show a version, or write its files into a folder.")
@version_argument
@click.option("--into", type=click.Path(path_type=Path), help="Write its files into this new folder.")
@json_option
@state_dir_option
def show(*, version: int, into: Path | None, as_json: bool, state_dir: Path | None) -> None:
    """Show VERSION: its files, and what its analysis found."""
    with connect(state_dir) as aeterna:
        found = aeterna.policies.version(version)
    if into is not None:
        _write(found, into)
    output.answer(found, as_json=as_json, human=lambda: _tell_content(found, files=into is None))


@click.command("diff", short_help="Show what a version changes, and who gains and who loses.")
@version_argument
@click.option("--against", type=click.IntRange(min=0), help="Another version; by default what it was proposed on.")
@click.option("--effects", is_flag=True, help="Also who gains and who loses, with example requests.")
@json_option
@state_dir_option
def diff(*, version: int, against: int | None, effects: bool, as_json: bool, state_dir: Path | None) -> None:
    """Show what VERSION changes in each file, and with --effects what that means for requests."""
    with connect(state_dir) as aeterna:
        found = aeterna.policies.diff(version, against=against, effects=effects)
    output.answer(found, as_json=as_json, human=lambda: _tell_diff(found))


@click.command("deploy", short_help="Make a version the one that decides.")
@version_argument
@accept_option
@json_option
@state_dir_option
def deploy(*, version: int, accept_undecided: bool, as_json: bool, state_dir: Path | None) -> None:
    """Make VERSION the one that decides, unless another was deployed since it was proposed."""
    with connect(state_dir) as aeterna:
        try:
            made = _deployed(aeterna, version, accept_undecided=accept_undecided)
        except PolicyRefusedError as refused:
            _tell_findings([found for found in refused.findings if found.refuses])
            raise CommandError("the version is refused by now; nothing was changed") from refused
    output.answer(made, as_json=as_json, human=lambda: _tell_version(made))


@click.command("rollback", short_help="Deploy the files of an earlier version again.")
@click.argument("to", metavar="VERSION", type=click.IntRange(min=1))
@message_option
@base_option
@request_option
@accept_option
@json_option
@state_dir_option
def rollback(
    *,
    to: int,
    message: str,
    base: int | None,
    request_id: str | None,
    accept_undecided: bool,
    as_json: bool,
    state_dir: Path | None,
) -> None:
    """Deploy the files of VERSION as a new version, at once: what was deployed before is not analysed again."""
    with connect(state_dir) as aeterna:
        made = aeterna.policies.roll_back(
            to, message=message, base=base, request_id=request_id, accept_undecided=accept_undecided
        )
    output.answer(made, as_json=as_json, human=lambda: _tell_version(made))


def _deployed(aeterna: Aeterna, version: int, *, accept_undecided: bool) -> PolicyVersion:
    """Deploy a version; tell what is undecided if that was not accepted."""
    try:
        return aeterna.policies.deploy(version, accept_undecided=accept_undecided)
    except PolicyAcceptanceRequiredError as undecided:
        _tell_findings(undecided.findings)
        raise CommandError(
            f"the analysis of version {version} left questions open; it is not deployed",
            f"mend them, or accept them with: aeterna policy deploy {version} --accept-undecided",
        ) from undecided


def bundle_files(folder: Path) -> dict[str, str]:
    """Return the files of a bundle below a folder, by path; raise `CommandError` for one that cannot be read."""
    try:
        files = {
            path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
            for path in sorted(folder.rglob("*"))
            if path.is_file() and (path.suffix in _SUFFIXES or path.name == _ENTITIES)
        }
    except (OSError, UnicodeDecodeError) as unreadable:
        raise CommandError(f"{folder} cannot be read: {unreadable}") from unreadable
    if not files:
        raise CommandError(f"{folder} holds no bundle", "a bundle is *.cedar, one *.cedarschema and entities.json")
    return files


def _write(content: PolicyContent, into: Path) -> None:
    try:
        into.mkdir(parents=True)
        for path, text in content.files.items():
            file = into / path
            # The service let nothing else in; a service that is not ours could send anything.
            if not file.resolve().is_relative_to(into.resolve()):
                raise CommandError(f"the version holds a file outside of itself: {path!r}")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
    except OSError as refused:
        raise CommandError(f"{into} cannot be written: {refused.strerror}") from refused


def _tell_version(version: PolicyVersion) -> None:
    by = f" by {version.deployed_by}" if version.deployed_by else ""
    restored = f", with the files of version {version.restores}" if version.restores else ""
    click.echo(f"version {version.version} is {version.state}{by}{restored} ({version.digest[:_HASH]})")
    if version.undecided:
        click.echo("its analysis left questions open: it is not known to be clean", err=True)


def _tell_content(content: PolicyContent, *, files: bool) -> None:
    _tell_version(content.version)
    click.echo(f"{content.version.author}, {content.version.created_at.isoformat()}: {content.version.message}")
    _tell_findings(content.findings)
    for path, text in content.files.items() if files else ():
        click.echo(f"\n{click.style(f'── {path}', bold=True)}\n{text}")


def _tell_findings(findings: Sequence[PolicyFinding]) -> None:
    for found in findings:
        where = found.file if found.line is None else f"{found.file}:{found.line}"
        excused = f" (intended: {found.intended})" if found.intended else ""
        kind = click.style(found.kind, fg="red" if found.refuses else "yellow")
        click.echo(f"{where}: {kind}: {found.message}{excused}")
        if found.example is not None:
            click.echo(f"    for example {json.dumps(found.example, ensure_ascii=False)}")


def _tell_diff(diff: PolicyDiff) -> None:
    for file in diff.files:
        click.echo(file.diff, nl=False)
    for one in diff.differences or ():
        shape = f"{one.principal_type} {one.action} {one.resource_type}" + (f" of {one.tenant}" if one.tenant else "")
        if one.undecided is not None:
            click.echo(f"{shape}: not known: {one.undecided}")
        for word, examples in (("gains", one.gained), ("loses", one.lost)):
            for example in examples:
                click.echo(f"{shape}: {word} {json.dumps(example, ensure_ascii=False)}")
    if diff.differences == ():
        click.echo("nobody gains and nobody loses anything")
