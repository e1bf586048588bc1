"""What every lens finds by its words, whatever holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeterna.graph.domain.changes import node_of, removed_node_of, session_of
from aeterna.graph.domain.questions.searches import search_query
from fixtures.fix_services import LONG, apply

if TYPE_CHECKING:
    from aeterna.graph.ports import Lens


@pytest.mark.parametrize(
    ("law", "text", "expected"),
    [
        ("a part of an id", "checkout", {"svc:checkout-api", "tbl:order_items"}),
        ("a part in camel case", "order", {"svc:orderService", "tbl:order_items"}),
        ("a name in camel case, by its parts", "order service", {"svc:orderService"}),
        ("a name in snake case", "order_items", {"tbl:order_items"}),
        ("a whole id", "svc:checkout-api", {"svc:checkout-api"}),
        ("case and accents do not matter", "CAFE", {"svc:orderService"}),
        ("a beginning", "pay*", {"svc:checkout-api", "svc:ledger", "team:payments"}),
        ("every word must be found", "checkout api", {"svc:checkout-api"}),
        ("a phrase stands together", '"order lines"', {"tbl:order_items"}),
        ("a phrase has an order", '"lines order"', set[str]()),
        ("a phrase ends with its text", '"lines checkout"', set[str]()),
        ("operators are words", "checkout OR ledger", set[str]()),
        ("syntax is nothing", 'checkout" OR id:* NEAR(', set[str]()),
        ("numbers are not texts", "10", set[str]()),
    ],
)
def test_search(lens: Lens, law: str, text: str, expected: set[str]) -> None:
    with lens.view(LONG) as view:
        found = view.search(search_query(text))

    assert {hit.id for hit in found.hits} == expected, law


def test_names_count_more_than_other_texts(lens: Lens) -> None:
    with lens.view(LONG) as view:
        checkout = view.search(search_query("checkout")).hits
        payments = view.search(search_query("payments", kinds=["Team", "Service"])).hits

    assert [hit.id for hit in checkout] == ["svc:checkout-api", "tbl:order_items"]
    assert payments[0].id == "team:payments"
    assert [hit.score for hit in checkout] == sorted((hit.score for hit in checkout), reverse=True)


def test_a_hit_says_where_and_what_was_found(lens: Lens) -> None:
    with lens.view(LONG) as view:
        (hit,) = view.search(search_query("data", kinds=["Table"])).hits

    (matched,) = hit.matched
    assert (matched.field, matched.snippet, matched.places) == ("properties.tags", "checkout data", ((9, 13),))


def test_a_search_follows_what_is_written(lens: Lens) -> None:
    """The index is there already when the nodes change."""
    with lens.view(LONG) as view:
        view.search(search_query("checkout"))
    apply(
        lens,
        session_of(
            "2",
            subject="ada",
            nodes=[
                node_of("svc:ledger", "Service", {"name": "checkout books"}),
                node_of("new", "Thing", {"a": "checkout"}),
            ],
            removed_nodes=[removed_node_of("tbl:order_items")],
        ),
        seq=2,
    )

    with lens.view(LONG) as view:
        found = view.search(search_query("checkout"))

    assert {hit.id for hit in found.hits} == {"svc:checkout-api", "svc:ledger", "new"}
    assert (found.snapshot_id, found.seq) == (20, 2)


@pytest.mark.parametrize(
    ("law", "text", "expected"),
    [
        ("one word is enough", "ledger nothing", {"svc:ledger"}),
        ("each word finds its own", "ledger mail", {"svc:ledger", "svc:mail"}),
        ("words that only hold a question together find nothing", "how is the ledger of a", {"svc:ledger"}),
        ("unless there are no others", "of the", {"svc:orderService"}),
        ("a phrase is one term", '"lines order" mail', {"svc:mail"}),
        ("a beginning", "led* mai*", {"svc:ledger", "svc:mail"}),
        ("no word is there", "nothing nowhere", set[str]()),
    ],
)
def test_a_search_for_any_of_some_words(lens: Lens, law: str, text: str, expected: set[str]) -> None:
    with lens.view(LONG) as view:
        found = view.search(search_query(text, match="any"))

    assert {hit.id for hit in found.hits} == expected, law


def test_what_holds_more_of_the_words_comes_first(lens: Lens) -> None:
    with lens.view(LONG) as view:
        found = view.search(search_query("books payments ledger", match="any"))

    assert found.hits[0].id == "svc:ledger"


def test_a_search_for_any_word_says_how_many_nodes_hold_each(lens: Lens) -> None:
    with lens.view(LONG) as view:
        found = view.search(search_query("checkout ledger nothing", match="any", kinds=["Team"]))

    assert (found.nodes, found.holders) == (7, (2, 1, 0))


def test_a_search_need_not_say_where_words_were_found(lens: Lens) -> None:
    with lens.view(LONG) as view:
        plain = view.search(search_query("checkout", explained=False))
        explained = view.search(search_query("checkout"))

    assert [(hit.id, hit.score, hit.matched) for hit in plain.hits] == [
        (hit.id, hit.score, ()) for hit in explained.hits
    ]
