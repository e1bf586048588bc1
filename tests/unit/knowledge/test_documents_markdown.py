"""Markdown is read with the place of everything in the raw text."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from aeterna.knowledge.adapters.documents.markdown import MarkdownFiles
from aeterna.knowledge.domain.documents import BlockKind

MARKDOWN = MarkdownFiles()
PIECES = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["[text](to.md)", "[a][b]", "[b]: x.md", "`code`", "``", "<https://x.org>", "https://y.org/a.", "# H"]
    ),
    st.sampled_from(
        [
            "\n",
            "\r\n",
            "\n\n",
            "```\n",
            "| a |\n|-|\n| `b` |",
            "![i](p.png)",
            "\\[no](no)",
            "<b>",
            "---\ntitle: T\n---\n",
        ]
    ),
)


@settings(max_examples=200, deadline=None)
@given(text=st.lists(PIECES, max_size=30).map("".join))
def test_every_span_holds_what_is_said_of_it(text: str) -> None:
    parsed = MARKDOWN.read(text, "a.md")

    assert parsed.text == text
    assert all(text[quoted.span.start : quoted.span.end] == quoted.text for quoted in parsed.quoted)
    links = [(link, text[link.span.start : link.span.end]) for link in parsed.links]
    assert all(shown.startswith(("[", "<", "http")) for _, shown in links)
    assert all(link.target in shown for link, shown in links if "](" in shown or shown.startswith(("<", "http")))
    assert all(0 <= block.span.start <= block.span.end <= len(text) for block in parsed.blocks)
    assert [*parsed.blocks] == sorted(parsed.blocks, key=lambda block: block.span)


def test_headings_make_sections_that_end_with_the_next_of_their_level() -> None:
    text = "# One *two*\n\na\n\n## In `code`\n\nb\n\nThird\n=====\n\nc\n"
    parsed = MARKDOWN.read(text, "a.md")

    shown = [
        (each.level, each.title, text[each.span.start : each.span.end].rsplit(maxsplit=1)[-1])
        for each in parsed.sections
    ]
    assert shown == [(1, "One two", "b"), (2, "In code", "b"), (1, "Third", "c")]


def test_the_title_is_that_of_the_front_matter_then_the_first_heading_then_the_name() -> None:
    assert MARKDOWN.read('---\ntitle: "From the front"\n---\n# Heading\n', "a.md").title == "From the front"
    assert MARKDOWN.read("## Heading\n", "a.md").title == "Heading"
    assert MARKDOWN.read("text\n", "a.md").title == "a.md"


def test_links_of_every_form_are_found_and_those_in_code_are_not() -> None:
    text = (
        "[in](a.md#x) and [by\nreference][ref], <https://auto.org/>, https://bare.org/p.\n\n[ref]: b.md\n\n"
        "`[no](no.md)`\n\n```\n[no](no.md)\n```\n\n![picture](p.png) \\[no](no.md)\n"
    )
    parsed = MARKDOWN.read(text, "a.md")

    assert [(link.target, link.text) for link in parsed.links] == [
        ("a.md#x", "in"),
        ("b.md", "by reference"),
        ("https://auto.org/", ""),
        ("https://bare.org/p", ""),
    ]


def test_blocks_are_paragraphs_points_tables_and_code() -> None:
    text = "# H\n\ntext\n\n- one\n- two\n\n| a |\n|---|\n| b |\n\n```py\nx = 1\n```\n"

    assert [block.kind for block in MARKDOWN.read(text, "a.md").blocks] == [
        BlockKind.HEADING,
        BlockKind.PARAGRAPH,
        BlockKind.LIST,
        BlockKind.LIST,
        BlockKind.TABLE,
        BlockKind.CODE,
    ]


def test_lines_end_as_they_end_in_the_file() -> None:
    """Spans count in the file itself, also in one from Windows."""
    text = "# One\r\n\r\ntext\r\n\r\n# Two\r\n"

    assert [text[section.span.start :][:5] for section in MARKDOWN.read(text, "a.md").sections] == ["# One", "# Two"]
