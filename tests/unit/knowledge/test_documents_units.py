"""Texts are cut into units that are whole, short and stay what they are when something is written before them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aeterna.knowledge.adapters.documents.markdown import MarkdownFiles
from aeterna.knowledge.domain.documents import DocumentId, Parsed, Unit
from aeterna.knowledge.domain.units import MAX_UNIT_CHARS, cut

DOCUMENT = DocumentId("docs/a.md")
MARKDOWN = MarkdownFiles()
# What a fuzzer would write, and what people do: long lines, lists, code, emoji that are several characters.
LINES = st.one_of(
    st.text(max_size=80),
    st.sampled_from(["", "# One", "## Two", "- point", "```", "| a | b |", "|---|---|", "> said", "    code", "---"]),
    st.tuples(st.sampled_from(["word ", "Ende. ", "x", "👨‍👩‍👧‍👦", "é", "語"]), st.integers(1, 900)).map(
        lambda piece: piece[0] * piece[1]
    ),
)
TEXTS = st.lists(LINES, max_size=30).map("\n".join)
PARAGRAPHS = st.lists(st.text(alphabet="abc de", min_size=20, max_size=300).filter(str.strip), min_size=30, max_size=60)


def units_of(text: str) -> tuple[Unit, ...]:
    return cut(MARKDOWN.read(text, "a.md"), DOCUMENT)


@settings(max_examples=150, deadline=None)
@given(text=TEXTS)
@example(text="a\r\n\r\nb\rc\x0bd\u2028e")
def test_every_character_that_is_no_white_space_is_in_exactly_one_unit(text: str) -> None:
    units = units_of(text)

    left = "".join(text[one.span.end : two.span.start] for one, two in pairwise(units))
    outside = text[: units[0].span.start] + left + text[units[-1].span.end :] if units else text
    assert not outside.strip()
    assert all(one.span.end <= two.span.start for one, two in pairwise(units))


@settings(max_examples=150, deadline=None)
@given(text=TEXTS)
def test_a_unit_is_the_text_of_its_span_and_short_enough_to_be_quoted(text: str) -> None:
    units = units_of(text)

    assert all(unit.text == text[unit.span.start : unit.span.end] for unit in units)
    assert all(0 < len(unit.text) <= MAX_UNIT_CHARS for unit in units)
    assert len({unit.id for unit in units}) == len(units)


@settings(max_examples=50, deadline=None)
@given(paragraphs=PARAGRAPHS, first=st.text(alphabet="xyz ", min_size=1, max_size=400).filter(str.strip))
def test_what_is_written_before_a_unit_leaves_it_as_it_is(paragraphs: list[str], first: str) -> None:
    """Ids follow from the text: otherwise one new line at the top would make every report of a document anew."""
    before = {unit.id for unit in units_of("## Below\n\n" + "\n\n".join(paragraphs))}
    after = {unit.id for unit in units_of(f"# Top\n\n{first}\n\n## Below\n\n" + "\n\n".join(paragraphs))}

    assert before <= after


def test_an_insertion_within_a_section_moves_only_the_borders_up_to_the_next_that_its_text_makes() -> None:
    paragraphs = [
        f"Paragraph {number} speaks of the {number}th thing, at some length and to no end." for number in range(200)
    ]
    before = {unit.id for unit in units_of("\n\n".join(paragraphs))}

    after = {unit.id for unit in units_of("\n\n".join(["A first one.", *paragraphs]))}

    assert len(before - after) <= 1


def test_units_end_with_their_section_and_know_the_headings_above_them() -> None:
    units = units_of("# Top\n\nOne.\n\n## Inner\n\nTwo.\n\n# Other\n\nThree.\n")

    assert [(unit.heading, unit.text) for unit in units] == [
        (("Top",), "# Top\n\nOne."),
        (("Top", "Inner"), "## Inner\n\nTwo."),
        (("Other",), "# Other\n\nThree."),
    ]


def test_a_heading_with_nothing_below_it_stands_with_the_next_one() -> None:
    """Alone it would be a passage that says nothing."""
    assert [unit.text for unit in units_of("# Top\n\n## Inner\n\nText.\n")] == ["# Top\n\n## Inner\n\nText."]


def test_a_long_paragraph_is_cut_behind_a_sentence() -> None:
    units = units_of("This sentence is one of many. " * 100)

    assert all(unit.text.endswith("many.") for unit in units)


@pytest.mark.parametrize("grapheme", ["👨‍👩‍👧‍👦", "e\u0301", "👍🏽", "🇩🇪"])
def test_no_cut_tears_what_a_reader_sees_as_one_character(grapheme: str) -> None:
    text = "x" + grapheme * 1_000
    units = cut(Parsed(media_type="text/plain", title="", text=text), DOCUMENT)

    assert all(unit.text.removeprefix("x").replace(grapheme, "") == "" for unit in units)


def test_equal_passages_of_a_document_have_ids_of_their_own_and_those_of_another_document_others() -> None:
    text = "# A\n\nSame.\n\n# A\n\nSame.\n"
    units = units_of(text)
    elsewhere = cut(MARKDOWN.read(text, "b.md"), DocumentId("docs/b.md"))

    assert len({unit.id for unit in (*units, *elsewhere)}) == 4
