"""Writes a community's report with a model, and an extractive one where the model's does not stand."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from aeterna.knowledge.domain.extractive import ReportBudget, extractive, report_of, title_of
from aeterna.knowledge.domain.model_reports import report_question, verified_report
from aeterna.knowledge.domain.reports import Instead

if TYPE_CHECKING:
    from aeterna.knowledge.domain.model_reports import ReportText
    from aeterna.knowledge.domain.reports import Material, Report
    from aeterna.knowledge.domain.verified import Verified
    from aeterna.knowledge.usecases.asking import Asking

_JSON_TOKENS: Final = 600
"""What an answer has beside its sentences: names, brackets, and the numbers that are cited."""


class ModelReports:
    """A `ReportWriter` with a model."""

    def __init__(self, asking: Asking, *, budget: ReportBudget | None = None) -> None:
        self._asking = asking
        self._budget = budget or ReportBudget()

    @property
    def made_by(self) -> str:
        """See `ReportWriter.made_by`."""
        return f"model:{self._asking.model}"

    async def write(self, material: Material) -> Report:
        """See `ReportWriter.write`."""
        waiting = [one.instead for one in material.children if one.instead is not None and one.instead.passing]
        if waiting:
            # What is below will be written anew, and this with it: asking now would be paid for twice.
            return await self._extracted(material, min(waiting))
        match material.children:
            case (only,) if not material.relations:
                # The same community once more, at a level above: it has been told already.
                said = report_of(material, only.title, only.sentences, made_by=only.made_by)
                return replace(said, instead=only.instead)
            case _:
                return await self._asked(material)

    async def _asked(self, material: Material) -> Report:
        asked = report_question(material, answer_tokens=self._budget.tokens + _JSON_TOKENS)
        if asked is None:
            return await self._extracted(material, Instead.NOTHING)
        title = title_of(material)

        def verify(text: str) -> Verified[ReportText]:
            return verified_report(text, asked, title=title, tokens=self._budget.tokens)

        units = frozenset(one.unit for one in material.passages)
        outcome = await self._asking.ask(asked.question, units, verify)
        if isinstance(outcome, Instead):
            return await self._extracted(material, outcome)
        return report_of(material, outcome.title, outcome.sentences, made_by=self.made_by)

    async def _extracted(self, material: Material, instead: Instead) -> Report:
        report = await asyncio.to_thread(extractive, material, self._budget)
        return replace(report, instead=instead)
