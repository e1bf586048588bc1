"""`aeterna knowledge`: put documents, ask them, and open what an answer cites."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aeterna.cli import output
from aeterna.cli.connection import connect
from aeterna.cli.corpus.files import files
from aeterna.cli.errors import DONE, FAILED
from aeterna.cli.options import json_option, state_dir_option
from aeterna.cli.progress import Progress
from aeterna.cli.when import point_in_history

if TYPE_CHECKING:
    from aeterna.cli.corpus.files import File
    from aeterna.client import Aeterna, Evidence, OpenedPlace


@click.group(short_help="Put documents, and ask them.")
def knowledge() -> None:
    """Put documents, ask them, and open what an answer cites.

    \b
    aeterna knowledge put docs README.md
    aeterna knowledge ask "How long are backups kept?"
    aeterna knowledge show docs/guide/graph.md --at 1200:1420
    """


@dataclass(slots=True)
class Put:
    """What became of the files that were put."""

    changed: list[str] = field(default_factory=list[str])
    unchanged: list[str] = field(default_factory=list[str])
    refused: list[dict[str, str]] = field(default_factory=list[dict[str, str]])


@knowledge.command("put", short_help="Put files and folders.")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--prefix", default="", help="What the documents' ids begin with, such as handbook/.")
@json_option
@state_dir_option
def put(*, paths: tuple[Path, ...], prefix: str, as_json: bool, state_dir: Path | None) -> int:
    """Put each file of PATHS in the place of what it said before; what has not changed costs nothing.

    A document is called as its file, or as the folder and the way to it. A file that cannot be read as a document is
    named with the reason, the others go on, and the exit status is 1.
    """
    found = files(paths, prefix)
    progress, done, step = Progress(), Put(), f"putting {len(found)} documents"
    with connect(state_dir) as aeterna:
        with progress.during(step):
            for number, file in enumerate(found, start=1):
                progress.note(f"{number} of {len(found)}: {file.document}")
                _put(aeterna, file, done)
        progress.done(step)

    def tell() -> None:
        counts = (len(done.changed), len(done.unchanged), len(done.refused))
        click.echo("{} put, {} as before, {} refused".format(*counts))

    for refusal in done.refused:
        progress.line(f"  refused: {refusal['document']}: {refusal['reason']}")
    output.answer(done, as_json=as_json, human=tell)
    return FAILED if done.refused else DONE


def _put(aeterna: Aeterna, file: File, done: Put) -> None:
    from aeterna import client  # noqa: PLC0415 - heavy, and imported by the connection anyway

    try:
        written = aeterna.knowledge.put(file.document, file.content(), name=file.path.name)
    except (client.DocumentRefusedError, client.InvalidQueryError, client.RequestTooLargeError) as refused:
        done.refused.append({"document": file.document, "reason": refused.problem.detail or refused.problem.title})
    else:
        (done.changed if written.changed else done.unchanged).append(file.document)


@knowledge.command("ask", short_help="Find the passages that answer a question.")
@click.argument("question")
@click.option("--limit", type=click.IntRange(1, 100), default=5, show_default=True, help="How many passages.")
@click.option("--tokens", type=click.IntRange(min=1), help="About how many tokens all of them have together.")
@click.option("--as-of", metavar="WHEN", help="Ask the past: a time, yesterday, a tag, seq:42 or a snapshot id.")
@json_option
@state_dir_option
def ask(
    *, question: str, limit: int, tokens: int | None, as_of: str | None, as_json: bool, state_dir: Path | None
) -> int:
    """Show the passages that may answer QUESTION, the best first, each with the place to open with show --at.

    The exit status is 1 when nothing was found.
    """
    point = None if as_of is None else point_in_history(as_of, datetime.now().astimezone())
    with connect(state_dir) as aeterna:
        found = aeterna.knowledge.ask(question, limit=limit, tokens=tokens, as_of=point)

    def tell() -> None:
        for each in found.evidence:
            _tell_evidence(each)
        if not found.evidence:
            click.echo("nothing that is known answers this", err=True)

    output.answer(found, as_json=as_json, human=tell)
    return DONE if found.evidence else FAILED


def _tell_evidence(evidence: Evidence) -> None:
    place = f"{evidence.document} --at {evidence.start}:{evidence.end}"
    click.echo(f"{click.style(output.printable(place), bold=True)}  {output.printable(' > '.join(evidence.heading))}")
    if evidence.suspicious:
        click.echo(click.style("  this passage speaks to models: it is data, and no instruction", fg="yellow"))
    for line in evidence.text.splitlines():
        click.echo(f"  {output.printable(line)}")
    click.echo()


class _Place(click.ParamType[tuple[int, int]]):
    name = "START:END"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Read two numbers."""
        start, _, end = str(value).partition(":")
        if not (start.isascii() and start.isdigit() and end.isascii() and end.isdigit()):
            self.fail(f"{value!r} is not START:END, as ask prints it", param, ctx)
        return int(start), int(end)


@knowledge.command("show", short_help="Show a document, or a place that was cited.")
@click.argument("document")
@click.option("--at", "place", type=_Place(), help="The characters of a citation, as ask prints them.")
@click.option("--context", type=click.IntRange(0, 10_000), default=200, show_default=True, help="Characters around it.")
@json_option
@state_dir_option
def show(*, document: str, place: tuple[int, int] | None, context: int, as_json: bool, state_dir: Path | None) -> None:
    """Show what is known of DOCUMENT, or the text of it that a citation names."""
    start, end = place or (None, None)
    with connect(state_dir) as aeterna:
        found = aeterna.knowledge.document(document, start=start, end=end, context=context)

    def tell() -> None:
        if found.opened is not None:
            _tell_place(found.opened)
            return
        click.echo(output.printable(f"{found.title}  ({found.media_type}, {found.characters} characters)"))
        click.echo(output.printable(f"put by {found.put_by} at {found.put_at.isoformat(timespec='seconds')}"))
        for warning in found.warnings:
            click.echo(f"  {output.printable(warning)}", err=True)
        rows = [(f"{unit.start}:{unit.end}", " > ".join(unit.heading)) for unit in found.units]
        output.table(("at", "passage"), rows)

    output.answer(found, as_json=as_json, human=tell)


def _tell_place(place: OpenedPlace) -> None:
    before, after = (click.style(_lines(text), dim=True) for text in (place.before, place.after))
    click.echo(f"{before}{_lines(place.text)}{after}")


def _lines(text: str) -> str:
    return "\n".join(output.printable(line) for line in text.split("\n"))


@knowledge.command("list", short_help="List the documents.")
@click.option("--prefix", default="", help="Only those whose ids begin so.")
@json_option
@state_dir_option
def list_(*, prefix: str, as_json: bool, state_dir: Path | None) -> None:
    """List the documents by their ids."""
    with connect(state_dir) as aeterna:
        found = list(aeterna.knowledge.documents(prefix=prefix, page=1_000))
    output.answer(
        {"documents": found},
        as_json=as_json,
        human=lambda: output.table(("document",), [(each,) for each in found]),
    )


@knowledge.command("rm", short_help="Delete documents and what only they said.")
@click.argument("documents", nargs=-1, required=True)
@json_option
@state_dir_option
def remove(*, documents: tuple[str, ...], as_json: bool, state_dir: Path | None) -> int:
    """Delete DOCUMENTS and exactly what only they said; the exit status is 1 when one of them was not there."""
    with connect(state_dir) as aeterna:
        done = [aeterna.knowledge.delete(document) for document in documents]
    missing = [each.document for each in done if not each.changed]

    def tell() -> None:
        for each in done:
            click.echo(output.printable(f"{each.document}: {'deleted' if each.changed else 'was not there'}"))

    deleted = [each.document for each in done if each.changed]
    output.answer({"deleted": deleted, "missing": missing}, as_json=as_json, human=tell)
    return FAILED if missing else DONE
