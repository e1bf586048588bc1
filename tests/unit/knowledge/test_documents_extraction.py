"""What a document speaks of is found without a model, and depends on that document alone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aeterna.knowledge.adapters.documents.markdown import MarkdownFiles
from aeterna.knowledge.domain.documents import DocumentId, Span
from aeterna.knowledge.domain.extraction import Mention, mentions_of, symbol_name
from aeterna.knowledge.domain.phrases import masked, normalised, phrases_in
from aeterna.knowledge.domain.units import cut

MARKDOWN = MarkdownFiles()


def spoken_of(text: str) -> dict[str, Mention]:
    """Return what the first unit of a Markdown text speaks of."""
    parsed = MARKDOWN.read(text, "a.md")
    mentions = mentions_of(parsed, cut(parsed, DocumentId("a.md")))[0]
    return {mention.name: mention for mention in (*mentions.terms, *mentions.symbols)}


def names_in(text: str) -> list[str]:
    return [phrase.name for phrase in phrases_in(text, Span(start=0, end=len(text)))]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Policy Sidecars", "policy sidecar"),
        ("policies", "policy"),
        ("classes", "class"),
        ("boxes", "box"),
        ("the tenant's Graph", "the tenant graph"),
        ("status", "status"),
        ("analysis", "analysis"),
        ("AWS", "aws"),
        ("\uff21\uff22\uff23", "abc"),
        ("Straße", "strasse"),
        ("42", ""),
    ],
)
def test_a_name_is_compared_without_case_form_and_plural(text: str, name: str) -> None:
    assert normalised(text) == name


def test_phrases_end_at_punctuation_and_at_words_that_mean_nothing() -> None:
    assert names_in("The writer lease of a tenant, fencing epochs.") == [
        "writer",
        "lease",
        "writer lease",
        "tenant",
        "fencing",
        "epoch",
        "fencing epoch",
    ]


def test_a_run_of_many_words_gives_what_it_ends_with() -> None:
    assert names_in("red green blue yellow wooden door")[-1] == "wooden door"


@settings(max_examples=150, deadline=None)
@given(text=st.text(max_size=200))
def test_a_phrase_is_named_as_the_words_at_its_place_are(text: str) -> None:
    for phrase in phrases_in(text, Span(start=0, end=len(text))):
        assert normalised(text[phrase.start : phrase.end]) == phrase.name


@settings(max_examples=100, deadline=None)
@given(text=st.text(max_size=60), holes=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=5))
def test_a_masked_text_has_everything_at_its_place(text: str, holes: list[tuple[int, int]]) -> None:
    spans = sorted(Span(start=min(hole), end=min(max(hole), len(text))) for hole in holes if min(hole) <= len(text))
    shown = masked(text, spans)

    assert len(shown) == len(text)
    assert all(shown[at] in (char, "|") for at, char in enumerate(text))


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("Store", "Store"),
        ("Store.open()", "Store.open"),
        ("std::vector", "std.vector"),
        ("Foo#bar", "Foo.bar"),
        ("f(a, b)", "f"),
        ("make lint", None),
        ("--flag", None),
        ("docs/a.md", None),
        ("3.11", None),
    ],
)
def test_a_quoted_piece_of_code_is_a_symbol_only_if_it_is_a_name(code: str, name: str | None) -> None:
    assert symbol_name(code) == name


def test_terms_symbols_and_headings_are_found_with_their_places() -> None:
    text = "# Writer lease\n\nA writer lease has a fencing epoch: `WriterLease.take()` raises it.\n"
    found = spoken_of(text)

    assert {"writer lease", "fencing epoch", "WriterLease.take"} <= found.keys()
    assert [text[start:end] for start, end in found["writer lease"].places] == ["Writer lease", "writer lease"]


def test_what_stands_in_a_heading_or_a_link_counts_twice() -> None:
    found = spoken_of("# Writer lease\n\nSee [the catalog server](a.md) and the object store.\n")

    assert (found["writer lease"].count, found["catalog server"].count, found["object store"].count) == (2, 2, 1)


def test_code_and_addresses_are_no_prose() -> None:
    found = spoken_of("Text here speaks.\n\n```\nsecret token = wrong answer\n```\n\n[x](hidden-folder/file-name.md)\n")

    assert not {name for name in found if "token" in name or "hidden" in name or "file" in name}


def test_a_hundredth_mention_says_less_than_the_first() -> None:
    assert spoken_of("lease holder. " * 25)["lease holder"].weight == 5
