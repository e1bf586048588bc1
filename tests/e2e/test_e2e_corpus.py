"""The sample corpus through the public API: real input, and real questions about it."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from aeterna.client import Aeterna
from fixtures.fix_live_runtime import LiveRuntime

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveRuntime]:
    runtime = LiveRuntime(tmp_path_factory.mktemp("corpus") / "state")
    runtime.up()
    yield runtime
    runtime.down()


@pytest.fixture
def knowledge(loaded: LiveRuntime) -> Iterator[Aeterna]:
    with Aeterna(
        graph_url=loaded.url("graph"), threads_url=loaded.url("threads"), token=loaded.document["token"]
    ) as client:
        yield client


def test_a_second_load_makes_no_new_snapshot(loaded: LiveRuntime, knowledge: Aeterna) -> None:
    before = knowledge.graph.snapshots()

    again = loaded.up()

    assert [corpus["snapshots"] for corpus in again["corpus"]] == [0, 0]
    assert knowledge.graph.snapshots() == before


def test_the_environment_says_which_python_it_is(knowledge: Aeterna) -> None:
    root = knowledge.graph.node("environment:python").node

    assert root.properties["python"] == ".".join(str(number) for number in sys.version_info[:3])


def test_the_client_requires_httpx(knowledge: Aeterna) -> None:
    required = knowledge.graph.neighbors("pypi:aeterna-client", types=("requires",))

    assert {"pypi:aeterna-contracts", "pypi:httpx"} <= set(required.ids)


def test_the_way_from_the_command_to_idna_goes_through_httpx(knowledge: Aeterna) -> None:
    path = knowledge.graph.shortest_path("pypi:aeterna-cli", "pypi:idna")

    assert path.hops <= 3
    assert {edge.type for edge in path.edges} == {"requires"}


def test_who_depends_on_httpx_is_a_question_against_the_arrows(knowledge: Aeterna) -> None:
    dependents = knowledge.graph.neighbors("pypi:httpx", direction="in", types=("requires",), limit=500)

    assert "pypi:aeterna-client" in dependents.ids


def test_a_licence_is_shared_by_many(knowledge: Aeterna) -> None:
    licensed = knowledge.graph.neighbors("licence:MIT", direction="in", limit=500)

    assert len(licensed.ids) > 5


def test_no_e_mail_address_is_kept(knowledge: Aeterna) -> None:
    people = knowledge.graph.neighbors("environment:python", depth=2, kinds=("Person",), limit=1000)

    assert people.nodes
    assert [near.node.id for near in people.nodes if "@" in str(near.node)] == []


def test_the_projects_documents_have_sections(knowledge: Aeterna) -> None:
    documents = knowledge.graph.neighbors("docs:project", limit=500)
    sections = knowledge.graph.neighbors("docs:project", depth=2, kinds=("Section",), limit=500)

    assert "doc:project/README.md" in documents.ids
    assert sections.nodes


def test_documents_that_change_are_followed(loaded: LiveRuntime, knowledge: Aeterna, tmp_path: Path) -> None:
    """What is gone from the source is gone from the graph, and what comes back comes back."""
    folder = tmp_path / "handbook"
    folder.mkdir()
    first = "# One\n\n## Kept\n\nSee [two](two.md).\n"
    (folder / "one.md").write_text(first)
    (folder / "two.md").write_text("# Two\n")

    def ingest() -> dict[str, int]:
        done = loaded.run("ingest", "docs", str(folder), "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def documents() -> set[str]:
        return set(knowledge.graph.neighbors("docs:handbook", depth=3).ids)

    everything = {"doc:handbook/one.md", "doc:handbook/one.md#kept", "doc:handbook/two.md"}
    assert ingest()["snapshots"] > 0
    assert documents() == everything
    (folder / "two.md").unlink()
    (folder / "one.md").write_text("# One\n")
    assert ingest()["removed"] >= 3
    assert documents() == {"doc:handbook/one.md"}
    (folder / "one.md").write_text(first)
    (folder / "two.md").write_text("# Two\n")
    assert ingest()["snapshots"] > 0
    assert documents() == everything
    assert ingest()["snapshots"] == 0
