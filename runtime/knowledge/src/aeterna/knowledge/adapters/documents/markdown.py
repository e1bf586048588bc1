"""Reads Markdown (CommonMark and tables) with markdown-it-py, and says where in the raw text everything stands.

Only blocks are parsed by the library: it knows their lines, but no place of what stands within a line. Links and code
within lines are found by a pattern over the raw text, each part of which is of bounded length.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Final, cast

from markdown_it import MarkdownIt
from markdown_it.common.utils import normalizeReference

from aeterna.knowledge.adapters.documents.outlines import MAX_TITLE_CHARS, sections_of
from aeterna.knowledge.domain.documents import Block, BlockKind, Link, Parsed, Quoted, Section, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from markdown_it.token import Token

MEDIA_TYPE: Final = "text/markdown"
_KINDS: Final = {
    "heading_open": BlockKind.HEADING,
    "bullet_list_open": BlockKind.LIST,
    "ordered_list_open": BlockKind.LIST,
    "list_item_open": BlockKind.LIST,
    "table_open": BlockKind.TABLE,
    "fence": BlockKind.CODE,
    "code_block": BlockKind.CODE,
}
_LINE_END: Final = re.compile(r"\r\n?|\n")
_FRONT_MATTER: Final = re.compile(
    r"\A---[^\S\n]*\r?\n(?:(?!---|\.\.\.)[^\n]*\n){0,200}(?:---|\.\.\.)[^\S\n]*(?:\r?\n|\Z)"
)
_FRONT_TITLE: Final = re.compile(r"^title[^\S\n]*:[^\S\n]*([\"']?)(\S[^\n]*?)\1[^\S\n]*$", re.MULTILINE)
_INLINE: Final = re.compile(
    r"\\[\\`\[\]<]"
    r"|(?P<ticks>`{1,3})(?P<code>[^`\n]{1,200})(?P=ticks)(?!`)"
    r"|(?P<image>!?)\[(?P<text>[^\[\]]{0,500})\]"
    r"(?:(?P<to>\([^\S\n]*<?(?P<target>[^()\[\]\s<>]{1,2000})>?(?:\s{1,8}[\"'(][^\"\n]{0,300}[\"')])?\s{0,8}\))"
    r"|\[(?P<ref>[^\[\]]{0,300})\])?"
    r"|<(?P<auto>https?://[^\s<>]{1,2000})>"
    r"|(?P<bare>https?://[^\s<>()\[\]\"'`|]{1,2000})"
    r"|(?P<tag></?[A-Za-z][^<>\n]{0,500}>|<!--)"
)
_TRAILING: Final = ".,;:!?*_~"
_MARKS: Final = re.compile(r"[*_`~]+(?=\w)|(?<=[\w.!?)])[*_`~]+|^[^\S\n]*#+\s|\s#+[^\S\n]*$")


class MarkdownFiles:
    """Reads the text of Markdown files."""

    def __init__(self) -> None:
        self._markdown = MarkdownIt("commonmark").enable("table")
        self._markdown.core.ruler.disable(["inline", "text_join"])

    def read(self, text: str, name: str) -> Parsed:
        """Return what was read; ``name`` is the title of a text that has none."""
        front = _FRONT_MATTER.match(text)
        begin = front.end() if front else 0
        env: dict[str, object] = {}
        tokens = self._markdown.parse(text[begin:], env)
        lines = _LineStarts(text, begin)
        blocks = _blocks(tokens, lines)
        code = [lines.span(token) for token in tokens if token.type in ("fence", "code_block") and token.map]
        inline = _Inline(text, cast("Mapping[str, Mapping[str, str]]", env.get("references", {})))
        inline.scan(_between(code, begin, len(text)))
        sections = _sections(tokens, lines, len(text))
        front_title = _FRONT_TITLE.search(text, 0, begin) if front else None
        front_span = (Span(start=0, end=begin),) if front else ()
        return Parsed(
            media_type=MEDIA_TYPE,
            title=_title(front_title.group(2) if front_title else "", sections, name),
            text=text,
            blocks=(*(Block(span=span, kind=BlockKind.CODE) for span in front_span), *blocks),
            sections=sections,
            links=tuple(inline.links),
            quoted=tuple(inline.quoted),
            markup=(*front_span, *sorted([*code, *inline.markup])),
        )


def _title(front: str, sections: Sequence[Section], name: str) -> str:
    first = next((section.title for section in sections if section.level == 1 and section.title), "")
    any_title = next((section.title for section in sections if section.title), "")
    return (front or first or any_title or name)[:MAX_TITLE_CHARS]


class _LineStarts:
    """Where each line of a text begins, counted as CommonMark does."""

    def __init__(self, text: str, begin: int) -> None:
        ends = _LINE_END.finditer(text, begin) if "\r" in text else _newlines(text, begin)
        self._starts = [begin, *(end if isinstance(end, int) else end.end() for end in ends)]
        self._end = len(text)

    def span(self, token: Token) -> Span:
        """Return the characters of the lines that the token says it stands in."""
        first, behind = token.map or (0, 0)
        return Span(start=self._at(first), end=self._at(behind))

    def _at(self, line: int) -> int:
        return self._starts[line] if line < len(self._starts) else self._end


def _newlines(text: str, at: int) -> Iterator[int]:
    while (at := text.find("\n", at) + 1) > 0:
        yield at


def _blocks(tokens: Iterable[Token], lines: _LineStarts) -> Iterator[Block]:
    """Give out the outermost blocks, and lists by their points."""
    for token in tokens:
        if token.nesting < 0 or token.map is None:
            continue
        if token.level == 0 and token.type not in ("bullet_list_open", "ordered_list_open"):
            yield Block(span=lines.span(token), kind=_KINDS.get(token.type, BlockKind.PARAGRAPH))
        elif token.level == 1 and token.type == "list_item_open":
            yield Block(span=lines.span(token), kind=BlockKind.LIST)


def _sections(tokens: Sequence[Token], lines: _LineStarts, end: int) -> tuple[Section, ...]:
    """Return the sections of the outermost headings."""
    found: list[tuple[int, int, str]] = []
    for token, inside in itertools.pairwise(tokens):
        if token.type == "heading_open" and token.level == 0 and token.map is not None:
            found.append((lines.span(token).start, int(token.tag[1:]), plain(inside.content)))
    return sections_of(found, end)


def plain(inline: str) -> str:
    """Return a line of Markdown as it reads: links as their text, no marks of emphasis or code."""
    shown = _INLINE.sub(lambda found: found["text"] or found["code"] or found["auto"] or found["bare"] or "", inline)
    return " ".join(_MARKS.sub("", shown).split())


def _between(holes: Iterable[Span], start: int, end: int) -> Iterator[Span]:
    for hole in holes:
        if hole.start > start:
            yield Span(start=start, end=hole.start)
        start = max(start, hole.end)
    if start < end:
        yield Span(start=start, end=end)


class _Inline:
    """What stands within lines: links, code, and what is no prose."""

    def __init__(self, text: str, references: Mapping[str, Mapping[str, str]]) -> None:
        self._text = text
        self._references = references
        self.links: list[Link] = []
        self.quoted: list[Quoted] = []
        self.markup: list[Span] = []

    def scan(self, spans: Iterable[Span]) -> None:
        """Look through those parts of the text."""
        for span in spans:
            for found in _INLINE.finditer(self._text, span.start, span.end):
                self._take(found)

    def _take(self, found: re.Match[str]) -> None:
        start, end = found.span()
        if found["code"] is not None:
            inside = Span(start=found.start("code"), end=found.end("code"))
            self.quoted.append(Quoted(span=inside, text=found["code"]))
            self.markup.append(Span(start=start, end=end))
        elif found["tag"] is not None:
            self.markup.append(Span(start=start, end=end))
        elif found["text"] is not None:
            self._take_bracket(found)
        elif (target := found["auto"] or found["bare"]) is not None:
            kept = target.rstrip(_TRAILING) if found["bare"] else target
            end -= len(target) - len(kept)
            self.links.append(Link(span=Span(start=start, end=end), target=kept, text=""))
            self.markup.append(Span(start=start, end=end))

    def _take_bracket(self, found: re.Match[str]) -> None:
        start, end = found.span()
        if found["to"] is not None:
            target: str | None = found["target"]
            self.markup.append(Span(start=found.end("text"), end=end))
        elif self._references and not self._is_definition(found):
            label = found["ref"] or found["text"]
            target = self._references.get(normalizeReference(label), {}).get("href")
            if found["ref"] is not None:
                self.markup.append(Span(start=found.end("text"), end=end))
        else:
            return
        if target and not found["image"]:
            text = " ".join(found["text"].replace("`", "").split())
            self.links.append(Link(span=Span(start=start, end=end), target=target, text=text))

    def _is_definition(self, found: re.Match[str]) -> bool:
        """Tell whether it is where a reference is defined, and no link."""
        start, end = found.span()
        before = self._text[max(0, start - 4) : start].rpartition("\n")[2]
        return self._text[end : end + 1] == ":" and not before.strip()
