"""An ingestion is killed wherever it happens to be, again and again, and goes on until the graph is that of no kill."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from aeterna.graph.main import open_graphs
from aeterna.knowledge.adapters.postgres.database import DATABASE
from aeterna.knowledge.adapters.postgres.transactions import Transactions
from aeterna.knowledge.domain.ingestions import IngestionId
from aeterna.postgres.pool import connection_pool
from fixtures.fix_knowledge import ACME, KNOWLEDGE_LIMITS, PostgresWhole
from fixtures.knowledge_histories import fresh
from fixtures.knowledge_kills import documents

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.anyio
PROGRAM: Final = Path(__file__).parents[1] / "fixtures" / "knowledge_kills.py"
COUNT: Final = 40
MOST_KILLS: Final = 12


@pytest.fixture
def program(knowledge_database: str, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Return the program that forks, works and is killed."""
    command = [sys.executable, "-P", str(PROGRAM), knowledge_database, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.communicate()


def ask(program: subprocess.Popen[str], seconds: float, word: str) -> str:
    """Let a child go on for some seconds."""
    assert program.stdin is not None
    assert program.stdout is not None
    program.stdin.write(f"{seconds} {COUNT} {word}\n")
    program.stdin.flush()
    return program.stdout.readline().strip()


async def test_an_ingestion_that_is_killed_anywhere_ends_as_one_that_never_was(
    program: subprocess.Popen[str], knowledge_database: str, tmp_path: Path
) -> None:
    """The first one puts documents, and the second one changes all of them. Every document is counted once."""
    chance = random.Random(9)  # noqa: S311 - the same kills in every run
    kills = 0
    for word in ("red", "green"):
        while (said := ask(program, chance.uniform(0.05, 0.4) if kills < MOST_KILLS else 60, word)) == "killed":
            kills += 1
        assert said == "finished"

    graphs = open_graphs(catalog_uri=f"sqlite:///{tmp_path}/catalog.db", warehouse=str(tmp_path / "warehouse"))
    async with connection_pool(knowledge_database, KNOWLEDGE_LIMITS, DATABASE.names) as pool:
        job = await PostgresWhole(Transactions(pool)).ingestion(ACME, IngestionId("green"))
    said = {each.id: each.content.decode() for each in documents(COUNT, "green") if b"!" not in each.content}
    assert graphs.of(ACME).fingerprint().digest == await fresh(said)
    assert (job.stored, job.refused, job.unchanged, kills >= MOST_KILLS) == (36, 4, 0, True)
    graphs.close()
