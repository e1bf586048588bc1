"""Analyses and compares folders without a service: exit status 0 clean, 1 refused, 2 wrong usage."""

from __future__ import annotations

import argparse
import json
import time
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aeterna.cedar.errors import BundleError
from aeterna.policies.api.offline_github import annotations_of
from aeterna.policies.api.offline_text import Style, differences_text, report_text
from aeterna.policies.domain.reports import differences_json, report_json
from aeterna.policies.domain.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from typing import TextIO

    from aeterna.cedar.domain.bundle import Bundle
    from aeterna.policies.ports import Analyser

CLEAN: Final = 0
REFUSED: Final = 1
INTERRUPTED: Final = 130
_EVERYTHING: Final = Scope(tenant="", platform=True)
_PATIENCE: Final = 60.0
_QUIET_SECONDS: Final = 1.0
_BAR: Final = 30


class Offline:
    """The commands ``validate`` and ``compare``.

    ``analyser`` is told where to remember what it learns, if anywhere, and for how long to ask.
    """

    def __init__(
        self,
        *,
        read: Callable[[Path], Bundle],
        analyser: Callable[[Path | None, timedelta], Analyser],
        out: TextIO,
        err: TextIO,
        color: bool | None = None,
    ) -> None:
        self._read = read
        self._analyser = analyser
        self._out = out
        self._err = err
        self._color = color

    def run(self, arguments: Sequence[str]) -> int:
        """Run one command line and return its exit status; wrong usage leaves by `SystemExit`, as argparse does."""
        chosen = _parser().parse_args(arguments)
        try:
            return self._validate(chosen) if chosen.command == "validate" else self._compare(chosen)
        except BundleError as exc:
            if chosen.json:
                self._document({"error": {"code": exc.code, "message": str(exc)}})
            self._err.write(f"{self._style(self._err).bad('error:')} {exc}\n")
            return REFUSED
        except KeyboardInterrupt:
            return INTERRUPTED

    def _validate(self, chosen: argparse.Namespace) -> int:
        bundle = self._read(chosen.folder)
        with _progress(self._err) as progress:
            report = self._analyser(chosen.cache, timedelta(seconds=chosen.patience)).analyse(bundle, progress=progress)
        refused = report.refused or (chosen.strict and report.undecided)
        if chosen.json:
            self._document({**report_json(report), "refused": refused})
        elif chosen.format == "github":
            self._out.write(annotations_of(report, str(chosen.folder)))
        else:
            self._out.write(report_text(report, self._style(self._out), everything=chosen.all, strict=chosen.strict))
        return REFUSED if refused else CLEAN

    def _compare(self, chosen: argparse.Namespace) -> int:
        before, after = self._read(chosen.old), self._read(chosen.new)
        differences = self._analyser(None, timedelta(seconds=_PATIENCE)).compare(before, after)
        moved = before.entities != after.entities
        if chosen.json:
            document = {"before": before.digest(), "after": after.digest(), "entities_changed": moved}
            self._document({**document, "differences": differences_json(differences, _EVERYTHING)})
        else:
            self._out.write(differences_text(differences, self._style(self._out), entities_changed=moved))
        return CLEAN

    def _document(self, document: object) -> None:
        self._out.write(json.dumps(document, ensure_ascii=False) + "\n")

    def _style(self, stream: TextIO) -> Style:
        return Style(colored=stream.isatty() if self._color is None else self._color)


@contextmanager
def _progress(stream: TextIO) -> Generator[Callable[[int, int], None]]:
    """Show a bar on a terminal once the work takes longer than a moment, and take it away in the end."""
    began, shown = time.monotonic(), False

    def progress(done: int, of: int) -> None:
        nonlocal shown
        if not stream.isatty() or of == 0 or time.monotonic() - began < _QUIET_SECONDS:
            return
        filled = "█" * (_BAR * done // of)
        stream.write(f"\r\x1b[K  {filled:░<{_BAR}} {done} of {of} pairs")
        stream.flush()
        shown = True

    try:
        yield progress
    finally:
        if shown:
            stream.write("\r\x1b[K")
            stream.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m aeterna.policies", description="Look at policies before they act.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    validate = commands.add_parser("validate", help="say what is wrong with the policies of a folder")
    validate.add_argument("folder", type=Path, metavar="FOLDER")
    validate.add_argument("--strict", action="store_true", help="refuse what could not be decided, too")
    validate.add_argument("--all", action="store_true", help="also show what an annotation excuses")
    validate.add_argument("--cache", type=Path, metavar="FILE", help="remember in this file what was learned")
    patience = "stop asking after so many seconds (default: 60); what is open then is undecided"
    validate.add_argument("--patience", type=float, default=_PATIENCE, metavar="SECONDS", help=patience)
    shape = validate.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="print one JSON document")
    shape.add_argument("--format", choices=("text", "github"), default="text", help="github: annotations of a workflow")
    compare = commands.add_parser("compare", help="say who gains and who loses between two folders")
    compare.add_argument("old", type=Path, metavar="OLD")
    compare.add_argument("new", type=Path, metavar="NEW")
    compare.add_argument("--json", action="store_true", help="print one JSON document")
    return parser
