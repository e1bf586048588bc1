"""Loading a corpus: the graph holds what the source holds now, whatever it held before."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import httpx
import pytest

from aeterna.cli.corpus.documents import documents
from aeterna.cli.corpus.loading import load
from aeterna.client import NEVER, Aeterna, NoAnswerError
from fixtures.fix_runtime import GRAPH_URL, SECRET, THREADS_URL

if TYPE_CHECKING:
    from aeterna.cli.corpus.loading import Loaded
    from aeterna.client.testing import FakeRuntime

FIRST = {"a.md": "# A\n\nSee [b](b.md).\n", "b.md": "# B\n\n## Part\n"}
SECOND = {"a.md": "# A\n\nAlone.\n"}


def load_texts(aeterna: Aeterna, texts: dict[str, str]) -> Loaded:
    return load(aeterna, documents("d", texts), lambda _: None)


def ids(fake: FakeRuntime) -> set[str]:
    return set(fake.states[-1].nodes)


def test_the_same_content_again_makes_no_snapshot(aeterna: Aeterna, fake: FakeRuntime) -> None:
    load_texts(aeterna, FIRST)
    before = len(fake.states)

    again = load_texts(aeterna, FIRST)

    assert (again.snapshots, len(fake.states)) == (0, before)


def test_what_the_source_no_longer_holds_is_removed(aeterna: Aeterna, fake: FakeRuntime) -> None:
    load_texts(aeterna, FIRST)

    load_texts(aeterna, SECOND)

    assert ids(fake) == {"docs:d", "doc:d/a.md"}
    assert set(fake.states[-1].edges) == {("docs:d", "has_document", "doc:d/a.md")}


def test_content_that_comes_back_is_written_again(aeterna: Aeterna, fake: FakeRuntime) -> None:
    """Session ids made from the content alone would be taken for repetitions, and nothing would be written."""
    for texts in (FIRST, SECOND, FIRST, SECOND, FIRST):
        load_texts(aeterna, texts)

    assert ids(fake) == {"docs:d", "doc:d/a.md", "doc:d/b.md", "doc:d/b.md#part"}


@pytest.mark.parametrize("survived", range(1, 6))
def test_a_load_that_was_cut_short_is_completed(fake: FakeRuntime, survived: int) -> None:
    """Wherever the connection is cut, the next load finishes what was begun."""
    left = iter(range(survived))

    def cut(request: httpx.Request) -> httpx.Response:
        if next(left, None) is None:
            message = "cut"
            raise httpx.ReadError(message)
        return fake.handle(request)

    with client_over(fake.transport()) as whole, client_over(httpx.MockTransport(cut)) as broken:
        load_texts(whole, SECOND)
        with suppress(NoAnswerError):
            load_texts(broken, FIRST)

        load_texts(whole, FIRST)

    assert ids(fake) == {"docs:d", "doc:d/a.md", "doc:d/b.md", "doc:d/b.md#part"}


def client_over(transport: httpx.BaseTransport) -> Aeterna:
    return Aeterna(graph_url=GRAPH_URL, threads_url=THREADS_URL, token=SECRET, retries=NEVER, transport=transport)


def test_edges_of_others_are_left_alone(aeterna: Aeterna, fake: FakeRuntime) -> None:
    load_texts(aeterna, FIRST)
    with aeterna.graph.session() as session:
        session.node("team:docs", kind="Team")
        session.edge("doc:d/a.md", "owned_by", "team:docs")

    load_texts(aeterna, SECOND)

    assert ("doc:d/a.md", "owned_by", "team:docs") in fake.states[-1].edges
    assert "team:docs" in ids(fake)
