"""How texts become words, and how the index of words keeps up."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from aeterna.graph.adapters.lens.arrow_lens import ArrowLens
from aeterna.graph.domain.changes import node_of, removed_node_of, session_of
from aeterna.graph.domain.identifiers import SnapshotId
from aeterna.graph.domain.questions.searches import search_query
from aeterna.graph.domain.questions.words import parts, words
from aeterna.graph.domain.snapshots import Snapshot
from aeterna.graph.errors import InvalidQueryError, QueryTimeoutError
from fixtures.fix_graph import ManualStopwatch, batch_of

if TYPE_CHECKING:
    from aeterna.graph.domain.changes import Session


@pytest.mark.parametrize(
    ("text", "whole", "split"),
    [
        ("svc:checkout-api", ["svc", "checkout", "api"], ["svc", "checkout", "api"]),
        ("checkoutApi", ["checkoutapi"], ["checkout", "api"]),
        ("checkout_api", ["checkout", "api"], ["checkout", "api"]),
        ("HTTPServer2", ["httpserver2"], ["http", "server", "2"]),
        ("ipv4", ["ipv4"], ["ipv", "4"]),
        ("Crème brûlée", ["creme", "brulee"], ["creme", "brulee"]),
        ("日本語", ["日", "本", "語"], ["日", "本", "語"]),
        ("STRASSE straße", ["strasse", "strasse"], ["strasse", "strasse"]),
        ("... --", [], []),
    ],
)
def test_words_and_parts(text: str, whole: list[str], split: list[str]) -> None:
    assert [word.text for word in words(text)] == whole
    assert [word.text for word in parts(text)] == split


def test_a_word_knows_where_it_stands() -> None:
    text = "the checkoutApi"

    assert [text[word.start : word.end] for word in parts(text)] == ["the", "checkout", "Api"]


@pytest.mark.parametrize("text", ["", " ", "*", '""', "-- !", "x" * 513, " ".join(f"w{place}" for place in range(33))])
def test_a_search_needs_words_and_not_too_many(text: str) -> None:
    with pytest.raises(InvalidQueryError, match="q: "):
        search_query(text)


def _apply(lens: ArrowLens, session: Session, seq: int) -> None:
    batch = batch_of(session, first_seq=seq)
    lens.apply(batch.rows, Snapshot(id=SnapshotId(seq), first_seq=seq, last_seq=seq, committed_at=batch.committed_at))


def _found(lens: ArrowLens, text: str) -> list[str]:
    with lens.view(timedelta(minutes=1)) as view:
        return [hit.id for hit in view.search(search_query(text)).hits]


def test_an_index_that_is_kept_up_finds_what_a_new_one_finds() -> None:
    kept_up = ArrowLens(stopwatch=ManualStopwatch())
    sessions = [
        session_of("1", subject="a", nodes=[node_of("a", "K", {"t": "one two"}), node_of("b", "K", {"t": "two"})]),
        session_of("2", subject="a", nodes=[node_of("a", "K", {"t": "three"}), node_of("c", "L", {"t": "twO"})]),
        session_of("3", subject="a", nodes=[node_of("d", "K", {"t": "two"})], removed_nodes=[removed_node_of("b")]),
        session_of("4", subject="a", nodes=[node_of("b", "K", {"t": "two four"})]),
    ]
    for seq, session in enumerate(sessions, start=1):
        _apply(kept_up, session, seq)
        new = ArrowLens(stopwatch=ManualStopwatch())
        for earlier, again in enumerate(sessions[:seq], start=1):
            _apply(new, again, earlier)

        for text in ("one", "two", "three", "four", "t*"):
            with kept_up.view(timedelta(minutes=1)) as ours, new.view(timedelta(minutes=1)) as theirs:
                assert ours.search(search_query(text)) == theirs.search(search_query(text))


def test_an_index_that_took_too_long_to_make_is_gone_on_with() -> None:
    """Each look at the clock is a second later: a search of four seconds indexes a part, and several all of it."""
    ticks = itertools.count()
    lens = ArrowLens(stopwatch=lambda: float(next(ticks)))
    nodes = [node_of(f"node:{place}", "K", {"text": "word"}) for place in range(9_000)]
    _apply(lens, session_of("1", subject="a", nodes=nodes), 1)
    outcomes: list[int | None] = []
    while not outcomes or (outcomes[-1] is None and len(outcomes) < 10):
        try:
            with lens.view(timedelta(seconds=4)) as view:
                outcomes.append(len(view.search(search_query("word", limit=10)).hits))
        except QueryTimeoutError:
            outcomes.append(None)

    assert outcomes[0] is None
    assert outcomes[-1] == 10


@pytest.mark.slow
def test_what_is_written_after_a_large_change_is_found() -> None:
    """More changes than the index keeps make it start anew."""
    lens = ArrowLens(stopwatch=ManualStopwatch())
    _apply(lens, session_of("1", subject="a", nodes=[node_of("first", "K")]), 1)
    assert _found(lens, "first") == ["first"]
    for seq in range(2, 14):
        nodes = [node_of(f"n{seq}:{place}", "K") for place in range(9_999)]
        _apply(lens, session_of(str(seq), subject="a", nodes=nodes), seq)

    assert _found(lens, "n13:9998") == ["n13:9998"]
