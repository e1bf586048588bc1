"""The command: ``python -P -m aeterna.synth.rules PATH...`` runs the rules over synthesized documents.

It exits with 0 if nothing is wrong, with 1 if a rule found an error, with 2 if it could not look.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.sizes import Size
from aeterna.synth.rules.evaluation import Evaluation
from aeterna.synth.rules.lines import lines_of
from aeterna.synth.rules.packs import installed, rules_of
from aeterna.synth.rules.report import as_json, as_text
from aeterna.synth.rules.sarif import as_sarif
from aeterna.synth.rules.suppression import parse
from aeterna.synth.rules.table import as_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from aeterna.synth.rules.evaluation import Report
    from aeterna.synth.rules.packs import Pack
    from aeterna.synth.rules.subject import Json

DOCUMENT: Final = "cdk.tf.json"
FORMATS: Final = ("json", "sarif", "text")
FOUND, UNUSABLE = 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    parser = _parser()
    given = parser.parse_args(arguments)
    packs = installed()
    if given.list or given.table:
        sys.stdout.write(as_table(packs) if given.table else _listed(packs))
        return 0
    if not given.paths:
        parser.error(f"name a synthesized document or a folder that holds some ({DOCUMENT})")
    try:
        texts = dict(_texts(given.paths))
        report = _evaluation(packs, given).of_documents({name: _document(name, text) for name, text in texts.items()})
    except (OSError, ValueError, InvalidSpecError) as failure:
        sys.stderr.write(f"{parser.prog}: {failure}\n")
        return UNUSABLE
    sys.stdout.write(f"{_written(report, given.format, texts)}\n")
    return FOUND if report.errors else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -P -m aeterna.synth.rules",
        description="Run the guard-rails over synthesized stacks.",
        epilog="Exit status: 0 nothing is wrong, 1 a rule found an error, 2 it could not look.",
    )
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help=f"a {DOCUMENT}, or a folder to look in")
    parser.add_argument("--format", choices=FORMATS, default="text", help="how to write the report")
    parser.add_argument("--size", choices=list(Size), default=Size.STANDARD, help="the size of the environment")
    parser.add_argument("--suppressions", type=Path, metavar="FILE", help="exceptions: a JSON list of objects")
    parser.add_argument("--tag", action="append", default=[], metavar="KEY", help="a tag that everything has to carry")
    parser.add_argument("--without", action="append", default=[], metavar="RULE", help="a rule not to ask")
    parser.add_argument("--list", action="store_true", help="list the rules and end")
    parser.add_argument("--table", action="store_true", help="write the guide's table of rules and end")
    return parser


def _evaluation(packs: tuple[Pack, ...], given: argparse.Namespace) -> Evaluation:
    return Evaluation(
        packs=packs,
        today=datetime.now(UTC).date(),
        size=Size(given.size),
        suppressions=parse(given.suppressions.read_text("utf-8")) if given.suppressions else (),
        required_tags=frozenset(given.tag),
        without=frozenset(given.without),
    )


def _texts(paths: Sequence[Path]) -> Iterator[tuple[str, str]]:
    """Yield each document with its name. Raises `ValueError` for a folder without any."""
    for path in paths:
        files = sorted(path.rglob(DOCUMENT)) if path.is_dir() else [path]
        if not files:
            raise ValueError(f"{path} holds no {DOCUMENT}; synthesize the stacks first")
        for file in files:
            yield file.as_posix(), file.read_text("utf-8")


def _document(name: str, text: str) -> Mapping[str, Json]:
    """Parse a document. Raises `ValueError` for what is none."""
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError(f"{name} is no document of Terraform")  # noqa: TRY004 - the file is wrong, not a type
    return cast("Mapping[str, Json]", found)


def _written(report: Report, form: str, texts: Mapping[str, str]) -> str:
    if form == "sarif":
        return as_sarif(report, {name: lines_of(text) for name, text in texts.items()})
    return as_json(report) if form == "json" else as_text(report)


def _listed(packs: tuple[Pack, ...]) -> str:
    return "".join(f"{rule.id}\t{rule.applies_from.value}\t{rule.title}\n" for rule in rules_of(packs))


if __name__ == "__main__":
    raise SystemExit(main())
