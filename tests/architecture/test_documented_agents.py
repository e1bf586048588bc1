"""The guide for agents' authors is true: its errors are the tested ones, its settings all there are, its agent runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from a2a.types import TaskState

from aeterna.a2a.settings import AgentSettings
from aeterna.service.settings import ServiceSettings
from fixtures import orders_agent
from fixtures.a2a_faults import FAULTS
from fixtures.a2a_served import as_, sent, served
from fixtures.workspace import ROOT

if TYPE_CHECKING:
    from fixtures.a2a_faults import Fault

GUIDE = (ROOT / "docs" / "guide" / "a2a.md").read_text("utf-8")
TESTS = (ROOT / "tests" / "contract" / "test_a2a_protocol_errors.py").read_text("utf-8")


def table(heading: str) -> list[list[str]]:
    """Return the cells of the table under a heading, without its head."""
    section = GUIDE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip().replace("`", "") for cell in row.strip("|").split("|")] for row in rows[1:]]


def row(fault: Fault) -> list[str]:
    codes = fault.expected
    return [fault.what.replace("`", ""), codes.jsonrpc, codes.rest, codes.grpc, fault.name]


def test_the_table_of_errors_is_that_of_the_tests() -> None:
    assert table("Errors") == [row(fault) for fault in FAULTS]


def test_the_test_that_the_table_names_is_there_and_has_every_case() -> None:
    named = re.search(r"`(test_\w+)` in `([\w/.]+)`", GUIDE)

    assert named is not None
    assert (ROOT / named[2]).read_text("utf-8") == TESTS
    assert re.search(rf'parametrize\("fault", FAULTS, .*\)\nasync def {named[1]}\(', TESTS)


def test_the_table_of_settings_has_every_setting_and_no_other() -> None:
    names = {cells[0].removeprefix("AETERNA_AGENT_").lower() for cells in table("Settings")}
    own = set(AgentSettings.model_fields) - set(ServiceSettings.model_fields)

    assert names == own | {"port", "request_timeout"}


def test_the_agent_of_the_guide_is_the_one_that_is_tested() -> None:
    source = (ROOT / "tests" / "fixtures" / "orders_agent.py").read_text("utf-8")
    shown = source.partition("# The guide shows what follows.\n")[2].partition("# The guide shows what stands")[0]

    assert shown.strip() in GUIDE


def test_the_token_of_the_guides_first_question_may_ask_it() -> None:
    """Its default role only reads."""
    asked = re.findall(r"curl .*\$\(aeterna token([^)]*)\)", GUIDE)

    assert [words.split() for words in asked] == [["--role", "writer"]]


@pytest.mark.anyio
async def test_the_agent_of_the_guide_streams_its_receipt_and_completes() -> None:
    async with served(written=orders_agent.CARD, executor=orders_agent.Orders()) as agent:
        stream = agent.transports["jsonrpc"].send_message_streaming(sent("tea", "m-1"), context=as_("ada"))
        events = [event async for event in stream]

    pieces = [part.text for event in events for part in event.artifact_update.artifact.parts]
    assert pieces[1:] == ["1 tea\n", "thank you\n"]
    assert events[-1].status_update.status.state == TaskState.TASK_STATE_COMPLETED
