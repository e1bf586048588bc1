"""The analyser with everything it stands on: Cedar, which checks and confirms, and Z3, which finds."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from aeterna.cedar.adapters.cedar import CedarCompiler
from aeterna.policies.adapters.checking import CedarChecker
from aeterna.policies.adapters.memo_file import MemoFile
from aeterna.policies.adapters.smt.solver import Z3Solvers
from aeterna.policies.adapters.witness import CedarWitnesses
from aeterna.policies.domain.memo import Memos
from aeterna.policies.domain.pruning import surroundings
from aeterna.policies.domain.typed.schema import schema_of
from aeterna.policies.usecases.analysing import MOST_PAIRS, Analysing
from aeterna.policies.usecases.answering import Answers, Patience
from aeterna.policies.usecases.comparing import Comparing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from aeterna.cedar.domain.bundle import Bundle
    from aeterna.policies.domain.findings import Difference, Report
    from aeterna.policies.domain.typed.policy import Policy

QUESTION: Final = timedelta(seconds=2)
"""How long a single question may take before it is undecided."""
_NO_END: Final = timedelta(days=1)
WHOLE: Final = timedelta(seconds=60)
"""How long an analysis asks before all that is still open is undecided."""


class SmtAnalyser:
    """Analyses and compares bundles; what one analysis learned serves the next, for as long as the object lives."""

    def __init__(
        self,
        *,
        file: MemoFile | None = None,
        question: timedelta = QUESTION,
        whole: timedelta = WHOLE,
        most_pairs: int = MOST_PAIRS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._file = file
        self.memos = Memos() if file is None else file.load()
        self._whole = whole
        self._clock = clock
        self._solvers = Z3Solvers(timeout=question)
        self._witnesses = CedarWitnesses()
        checker = CedarChecker(CedarCompiler())
        self._analysing = Analysing(checker, self._answers, most_pairs=most_pairs)
        self._comparing = Comparing(checker, self._solvers, self._witnesses, self._patience)

    def analyse(self, bundle: Bundle, *, progress: Callable[[int, int], None] | None = None) -> Report:
        """Return every finding; what cannot be decided is a finding too."""
        report = self._analysing.analyse(bundle, progress=progress)
        if self._file is not None:
            self._file.save(self.memos)
        return report

    def compare(self, before: Bundle, after: Bundle) -> tuple[Difference, ...]:
        """Return who gains and who loses, or raise `BundleInvalidError` when either is no bundle."""
        return self._comparing.compare(before, after)

    def _answers(self, schema: str, policies: Sequence[Policy]) -> Answers:
        return Answers(
            solver=self._solvers.of(schema),
            witness=self._witnesses.of(schema, policies),
            policies=policies,
            places=surroundings(schema_of(schema)),
            memo=self.memos.of(schema),
            patience=self._patience(),
        )

    def _patience(self) -> Patience:
        return Patience(clock=self._clock, until=self._clock() + self._whole.total_seconds())


def make_analyser(whole: timedelta = _NO_END) -> SmtAnalyser:
    """Return an analyser that remembers as long as it lives; a function of a module, for a process of its own.

    Whoever waits for that process ends it when it is late, and what was learned is lost: ``whole`` should be shorter.
    """
    return SmtAnalyser(whole=whole)


def remembering_analyser(file: Path | None, patience: timedelta) -> SmtAnalyser:
    """Return an analyser that also remembers in a file, if there is one, and asks for so long."""
    return SmtAnalyser(file=None if file is None else MemoFile(file), whole=patience)
