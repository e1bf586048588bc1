"""What every bounded analysis does, the fake and the one in a process of its own alike."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from aeterna.cedar.domain.bundle import Bundle
from aeterna.cedar.errors import BundleInvalidError
from aeterna.policies.adapters.analysis_process import AnalysisProcess
from aeterna.policies.domain.findings import Kind
from aeterna.policies.errors import AnalysisFailedError, AnalysisTimeoutError
from aeterna.policies.testing import FakeAnalyser, FakeAnalysis
from fixtures.scripted_analyser import ScriptedAnalyser

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aeterna.policies.ports import Analysis

pytestmark = pytest.mark.anyio


def bundle(text: str) -> Bundle:
    """Return a bundle with one file."""
    return Bundle.of({"a.cedar": text, "s.cedarschema": ""})


@pytest.fixture
async def child() -> AsyncIterator[AnalysisProcess]:
    """Return an analysis in a child process."""
    analysis = AnalysisProcess(ScriptedAnalyser, timeout=timedelta(seconds=30))
    yield analysis
    await analysis.aclose()


@pytest.fixture(params=["fake", "process"])
def analysis(request: pytest.FixtureRequest) -> Analysis:
    """Return each kind of analysis."""
    if request.param == "fake":
        return FakeAnalysis(ScriptedAnalyser())
    process: AnalysisProcess = request.getfixturevalue("child")
    return process


async def test_findings_come_back_whole(analysis: Analysis) -> None:
    report = await analysis.analyse(bundle("opposing"))

    assert report == FakeAnalyser().analyse(bundle("opposing"))
    assert report.refused
    assert report.findings[0].kind is Kind.OPPOSING


async def test_a_bundle_that_is_none_keeps_its_file_and_line(analysis: Analysis) -> None:
    with pytest.raises(BundleInvalidError) as refused:
        await analysis.compare(bundle("good"), bundle("bad"))

    assert (refused.value.where, refused.value.reason, refused.value.line) == ("a.cedar", "is bad", 3)


async def test_what_takes_too_long_is_ended_and_the_next_question_is_answered() -> None:
    analysis = AnalysisProcess(ScriptedAnalyser, timeout=timedelta(seconds=5))
    try:
        with pytest.raises(AnalysisTimeoutError):
            await analysis.analyse(bundle("slow"))

        assert not (await analysis.analyse(bundle("quick"))).refused
    finally:
        await analysis.aclose()


async def test_a_child_that_dies_is_replaced(child: AnalysisProcess) -> None:
    with pytest.raises(AnalysisFailedError):
        await child.analyse(bundle("dies"))

    assert not (await child.analyse(bundle("quick"))).refused


async def test_questions_wait_for_their_turn(child: AnalysisProcess) -> None:
    reports = await asyncio.gather(*(child.analyse(bundle(text)) for text in ("one", "opposing", "three")))

    assert [report.refused for report in reports] == [False, True, False]
