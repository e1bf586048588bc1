"""Web pages are read as a reader sees them, with the place of everything in that text."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from aeterna.knowledge.adapters.documents.web_pages import read_page

PIECES = st.one_of(
    st.text(max_size=15),
    st.sampled_from(
        ["<p>", "</p>", "<h1>", "</h1>", "<h2>Two</h2>", "<a href='x.html'>", "</a>", "<code>", "</code>", "<li>"]
    ),
    st.sampled_from(
        ["<pre>", "</pre>", "<table><tr><td>", "</td><td>", "</table>", "<div hidden>", "</div>", "<br>", "&#x202e;"]
    ),
    st.sampled_from(
        ["<script>", "</script>", "<svg>", "</svg>", "<template>", "</template>", "<!--", "-->", "\n", " "]
    ),
)


@settings(max_examples=200, deadline=None)
@given(html=st.lists(PIECES, max_size=30).map("".join))
def test_every_span_holds_what_is_said_of_it(html: str) -> None:
    page = read_page(html, "a.html")

    shown = [(" ".join(page.text[each.span.start : each.span.end].split()), each.text) for each in page.links]
    assert all(text == said for text, said in shown)
    assert all(page.text[each.span.start : each.span.end] == each.text for each in page.quoted)
    assert all(page.text[each.span.start :].lstrip().startswith(each.title[:1]) for each in page.sections)
    assert all(0 <= block.span.start < block.span.end <= len(page.text) for block in page.blocks)
    assert [block.span for block in page.blocks] == sorted(block.span for block in page.blocks)


def test_a_page_reads_as_its_reader_sees_it() -> None:
    page = read_page(
        "<title>A  page</title><style>p{}</style><h1>One</h1><p>Some <b>bold</b>\n text.</p><ul><li>a<li>b</ul>"
        "<table><tr><th>x<th>y<tr><td>1<td>2</table><pre>\n  code\n</pre>a<br>b",
        "a.html",
    )

    assert page.title == "A page"
    assert page.text == "One\n\nSome bold text.\n\na\nb\n\nx | y\n1 | 2\n\n  code\n\n\na\nb"


def test_what_a_reader_does_not_see_is_left_out_and_said() -> None:
    """Hidden text is where orders to models are put."""
    page = read_page(
        "<p>seen</p><script>alert('no')</script><template>no</template><noscript>no</noscript><p hidden>no</p>"
        "<p style='DISPLAY : none'>no</p><span style='font-size:0px'>no</span><p style='opacity: 0.0'>no</p><!-- no -->"
        "<dialog>no</dialog><svg><text>no</text></svg><p style='opacity: 0.5'>seen too</p>",
        "a.html",
    )

    assert page.text == "seen\n\nseen too"
    assert page.warnings == ("5 hidden elements were left out",)


def test_links_code_and_headings_are_found() -> None:
    page = read_page(
        "<h1>Top</h1><p><a href=' b.html '>a <i>link</i></a> <code>Store.open()</code></p><h2>In</h2>x", "a.html"
    )

    assert [(link.target, link.text) for link in page.links] == [("b.html", "a link")]
    assert [quoted.text for quoted in page.quoted] == ["Store.open()"]
    assert [(section.level, section.title) for section in page.sections] == [(1, "Top"), (2, "In")]


def test_headings_within_headings_are_in_the_order_of_the_text() -> None:
    page = read_page("<h1>Top <div><h2>In</h2></div></h1>text<h2>Next</h2>", "a.html")

    assert [section.title for section in page.sections] == ["Top In", "In", "Next"]
