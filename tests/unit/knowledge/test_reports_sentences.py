"""A passage is cut into its sentences, each exactly where it stands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aeterna.knowledge.domain.sentences import plain, sentences_of


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        pytest.param("One. Two! Three?", ["One.", "Two!", "Three?"], id="stops"),
        pytest.param("No stop at all", ["No stop at all"], id="without a stop"),
        pytest.param("Version 1.2.3 is out. Take it.", ["Version 1.2.3 is out.", "Take it."], id="numbers"),
        pytest.param("Use e.g. Redis. It is fast.", ["Use e.g. Redis.", "It is fast."], id="abbreviations"),
        pytest.param("Ask J. Doe. He knows.", ["Ask J. Doe.", "He knows."], id="initials"),
        pytest.param("It ended ... and began. Then", ["It ended ... and began.", "Then"], id="a pause"),
        pytest.param('He said "no." Then he left.', ['He said "no."', "Then he left."], id="quotes"),
        pytest.param("Set it. `dsn` is next.", ["Set it.", "`dsn` is next."], id="names of code"),
        pytest.param("A wrapped\nsentence. Next.", ["A wrapped\nsentence.", "Next."], id="wrapped lines"),
        pytest.param("# Title\nText here.\n\nMore.", ["Text here.", "More."], id="headings are no sentences"),
        pytest.param("- One item\n- Two items.\n  Still two.", ["One item", "Two items.", "Still two."], id="lists"),
        pytest.param("1. First\n2) Second", ["First", "Second"], id="numbered lists"),
        pytest.param("> Quoted text. Goes on.", ["Quoted text.", "Goes on."], id="quotations"),
        pytest.param("Before.\n```py\nx = 1. Y\n```\nAfter.", ["Before.", "After."], id="code is no sentence"),
        pytest.param("Before.\n~~~\nx\n```\ny. Z\n~~~\nAfter.", ["Before.", "After."], id="a fence in a fence"),
        pytest.param("```\nnever closed. At all.", [], id="a fence that is never closed"),
        pytest.param("| a | b |\n|---|---|\n| c. D | e |", [], id="tables are no sentences"),
        pytest.param("Käse ist gut. Äpfel auch.", ["Käse ist gut.", "Äpfel auch."], id="other alphabets"),
        pytest.param("它很快。它很小。", ["它很快。", "它很小。"], id="scripts without spaces"),
        pytest.param("", [], id="nothing"),
        pytest.param(" \n\t\n", [], id="white space"),
    ],
)
def test_a_text_has_these_sentences(text: str, sentences: list[str]) -> None:
    assert [text[span.start : span.end] for span in sentences_of(text)] == sentences


@given(st.text(alphabet=st.sampled_from("aB1 .!?\n\t-*#|`>~。é\"'()"), max_size=200))
def test_sentences_stand_in_order_without_overlap_and_hold_no_white_space_at_their_ends(text: str) -> None:
    behind = 0
    for span in sentences_of(text):
        assert behind <= span.start < span.end <= len(text)
        assert text[span.start : span.end].strip() == text[span.start : span.end]
        assert "\n" not in plain(text[span.start : span.end])
        behind = span.end
