"""Reads HTML with Lexbor to the text that a reader would see, and says where in that text everything stands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from selectolax.lexbor import LexborHTMLParser

from aeterna.knowledge.adapters.documents.decoding import cleaned
from aeterna.knowledge.adapters.documents.outlines import MAX_TITLE_CHARS, sections_of
from aeterna.knowledge.adapters.documents.refusals import RefusedError
from aeterna.knowledge.domain.documents import Block, BlockKind, Link, Parsed, Quoted, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from selectolax.lexbor import LexborNode

MEDIA_TYPE: Final = "text/html"
MAX_DEPTH: Final = 2_000
MAX_NODES: Final = 2_000_000
_UNSEEN: Final = frozenset(
    {"head", "script", "style", "template", "noscript", "svg", "math", "iframe", "object", "embed", "canvas", "audio"}
    | {"video", "datalist", "select", "textarea", "map", "noframes", "noembed", "rp", "-comment"}
)
_HEADINGS: Final = {f"h{level}": level for level in range(1, 7)}
_KINDS: Final = {
    **dict.fromkeys(_HEADINGS, BlockKind.HEADING),
    **dict.fromkeys(("li", "dt", "dd"), BlockKind.LIST),
    **dict.fromkeys(("table", "tr", "caption"), BlockKind.TABLE),
    "pre": BlockKind.CODE,
}
_BLOCKS: Final = frozenset(
    {"address", "article", "aside", "blockquote", "body", "details", "dialog", "div", "dl", "fieldset", "figcaption"}
    | {"figure", "footer", "form", "header", "hr", "html", "legend", "main", "menu", "nav", "ol", "p", "section"}
    | {"summary", "tbody", "tfoot", "thead", "ul", *_KINDS}
)
_TIGHT: Final = frozenset({"li", "dt", "dd", "tr"})
_CELLS: Final = frozenset({"td", "th"})
_CODE: Final = frozenset({"code", "kbd", "samp", "tt", "var"})
_HIDING: Final = re.compile(
    r"display\s{0,8}:\s{0,8}none|visibility\s{0,8}:\s{0,8}hidden|font-size\s{0,8}:\s{0,8}0(?![.\d])"
    r"|opacity\s{0,8}:\s{0,8}0(?:\.0+)?(?![.\d])"
)
_SPACES: Final = re.compile(r"[ \t\n\r\f]+")


def read_page(html: str, name: str) -> Parsed:
    """Return what a reader sees of a page; raise `RefusedError` for one that is nested beyond reason."""
    tree = LexborHTMLParser(html)
    page = _Page()
    if tree.root is not None:
        page.walk(tree.root)
    text = "".join(page.parts)
    if page.hidden:
        page.warnings[f"{page.hidden} hidden elements were left out"] = None
    title_node = tree.css_first("title")
    title = " ".join(page.cleaned(title_node.text()).split()) if title_node is not None else ""
    return Parsed(
        media_type=MEDIA_TYPE,
        title=(title or next((heading for _, _, heading in page.headings), "") or name)[:MAX_TITLE_CHARS],
        text=text,
        blocks=tuple(page.blocks),
        sections=sections_of(sorted(page.headings), len(text)),
        links=tuple(page.links),
        quoted=tuple(page.quoted),
        markup=tuple(sorted([*(quoted.span for quoted in page.quoted), *_code(page.blocks)])),
        warnings=tuple(page.warnings),
    )


def _code(blocks: Iterable[Block]) -> Iterator[Span]:
    return (block.span for block in blocks if block.kind is BlockKind.CODE)


class _Page:
    """The text as far as it is written, and what stands where in it."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.blocks: list[Block] = []
        self.headings: list[tuple[int, int, str]] = []
        self.links: list[Link] = []
        self.quoted: list[Quoted] = []
        self.warnings: dict[str, None] = {}
        self.hidden = 0
        self._at = 0
        self._gap = ""
        self._block: int | None = None
        self._kinds: list[BlockKind] = [BlockKind.PARAGRAPH]
        self._preformatted = 0

    def walk(self, root: LexborNode) -> None:
        """Go through the tree without recursion: it may be as deep as its author likes."""
        stack: list[tuple[LexborNode, str, int]] = []
        node: LexborNode | None = root
        seen = 0
        while node is not None or stack:
            if node is None:
                done, tag, start = stack.pop()
                self._close(done, tag, start)
                node = done.next
                continue
            seen += 1
            if seen > MAX_NODES or len(stack) > MAX_DEPTH:
                raise RefusedError(f"has more than {MAX_NODES} elements, or {MAX_DEPTH} within each other")
            tag = node.tag or ""
            if tag == "-text":
                self._text(node.text_content or "")
            elif tag not in _UNSEEN and self._is_seen(node):
                start = self._open(tag)
                stack.append((node, tag, start))
                node = node.first_child
                continue
            node = node.next if node.mem_id != root.mem_id else None

    def cleaned(self, text: str) -> str:
        """Return a text without what hides in it: a page can write by references what the file itself may not hold."""
        kept, warnings = cleaned(text, binary_is_refused=False)
        self.warnings.update(dict.fromkeys(warnings))
        return kept

    def _is_seen(self, node: LexborNode) -> bool:
        attributes = node.attributes
        if not attributes and node.tag != "dialog":
            return True
        hidden = (
            "hidden" in attributes
            or (node.tag == "dialog" and "open" not in attributes)
            or _HIDING.search((attributes.get("style") or "")[:2_000].lower()) is not None
        )
        self.hidden += hidden
        return not hidden

    def _open(self, tag: str) -> int:
        if tag in _BLOCKS:
            self._end_block(tag)
            if tag in _KINDS:
                self._kinds.append(_KINDS[tag])
            self._preformatted += tag == "pre"
        elif tag == "br":
            self._break("\n")
        elif tag in _CELLS and self._block is not None:
            self._break(" | ")
        return self._at

    def _close(self, node: LexborNode, tag: str, start: int) -> None:
        text = "".join(self._since(start)) if tag in ("a", *_HEADINGS) or tag in _CODE else ""
        inside = text.strip()
        if inside:
            begin = start + len(text) - len(text.lstrip())
            self._note(node, tag, Span(start=begin, end=begin + len(inside)), inside)
        if tag in _BLOCKS:
            self._end_block(tag)
            if tag in _KINDS:
                self._kinds.pop()
            self._preformatted -= tag == "pre"

    def _note(self, node: LexborNode, tag: str, span: Span, text: str) -> None:
        if tag in _HEADINGS:
            self.headings.append((span.start, _HEADINGS[tag], " ".join(text.split())))
        elif tag == "a":
            target = (node.attributes.get("href") or "").strip()
            if target:
                self.links.append(Link(span=span, target=target[:2_000], text=" ".join(text.split())))
        elif not self._preformatted and (not self.quoted or self.quoted[-1].span.end <= span.start):
            self.quoted.append(Quoted(span=span, text=text))

    def _since(self, start: int) -> list[str]:
        """Return what was written from a place on."""
        at, first = self._at, len(self.parts)
        while first > 0 and at > start:
            first -= 1
            at -= len(self.parts[first])
        kept = self.parts[first:]
        if kept and at < start:
            kept[0] = kept[0][start - at :]
        return kept

    def _text(self, text: str) -> None:
        text = self.cleaned(text)
        if not self._preformatted:
            text = _SPACES.sub(" ", text)
            if text[:1] == " ":
                self._gap = self._gap or " "
                text = text[1:]
        if text.strip():
            ending = not self._preformatted and text[-1] == " "
            self._write(text[:-1] if ending else text)
            self._gap = " " if ending else ""
        elif text and not self._gap:
            self._gap = text

    def _break(self, mark: str) -> None:
        if self._block is not None and (mark != "\n" or not self._gap.endswith("|")):
            self._gap = mark

    def _write(self, text: str) -> None:
        if self._gap and self._at:
            self.parts.append(self._gap)
            self._at += len(self._gap)
        self._gap = ""
        if self._block is None:
            self._block = self._at
        self.parts.append(text)
        self._at += len(text)

    def _end_block(self, tag: str) -> None:
        if self._block is not None:
            self.blocks.append(Block(span=Span(start=self._block, end=self._at), kind=self._kinds[-1]))
            self._block = None
            self._gap = "\n" if tag in _TIGHT else "\n\n"
        elif self._at and tag not in _TIGHT:
            self._gap = "\n\n"
