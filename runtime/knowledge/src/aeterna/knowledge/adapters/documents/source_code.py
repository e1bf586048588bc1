"""Reads source code in any language that Pygments knows: what it defines, and the prose of its comments.

A lexer knows words and not structure, so what a name is defined within is told by indentation, as people tell it.
"""

from __future__ import annotations

import itertools
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from pygments.lexers import find_lexer_class_by_name
from pygments.token import Comment, Keyword, Name, String, Text, Whitespace

from aeterna.knowledge.adapters.documents.outlines import sections_of
from aeterna.knowledge.domain.documents import Block, BlockKind, Parsed, Span, Symbol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pygments.lexer import Lexer

_DECLARES: Final = {
    **{word: word for word in ("class", "struct", "enum", "interface", "trait", "module", "namespace", "object")},
    **{word: word for word in ("record", "protocol", "union", "type", "macro", "actor", "extension", "function")},
    **{word: word for word in ("procedure", "table", "view", "message", "service", "contract")},
    **dict.fromkeys(("def", "fn", "fun", "func", "sub", "proc", "defp", "defn", "rpc"), "function"),
    "mod": "module",
    "defmodule": "module",
}
_NAME: Final = re.compile(r"[^\W\d][\w$]{0,99}")
_RECEIVER: Final = re.compile(
    r"func\s{1,8}\([^()\n]{0,100}?\*?([^\W\d]\w{0,99})(?:\[[^\]\n]{0,50}\])?\)\s{0,8}([^\W\d]\w{0,99})"
)
# A method of a class in a language of braces, whose lexers do not tell a definition from a call.
_METHOD: Final = re.compile(
    r"(?:[\w<>\[\],.?]{1,80}[^\S\n]{1,4}){0,6}[*#]?([^\W\d][\w$]{0,99})(?:<[^<>\n]{0,100}>)?[^\S\n]{0,4}"
    r"\([^;{}\n]{0,300}\)[^;{}=\n]{0,150}(?:\{|\n\s{0,200}\{)"
)
# Behind these, some lexers take a call for a definition.
_USES: Final = frozenset({"return", "new", "await", "throw", "else", "yield", "case", ".", "="})
_NO_METHODS: Final = frozenset(
    {"if", "for", "foreach", "while", "switch", "catch", "with", "return", "using", "lock", "else"}
)
_CLASSES: Final = frozenset({"class", "struct", "interface", "trait", "object", "record", "enum", "extension", "actor"})
_IMPL: Final = re.compile(r"impl\b[^\n{]{0,300}")
_GENERIC: Final = re.compile(r"<[^<>]{0,200}>")
_LEADING: Final = ("@", "#", "//", "/*", "*", "--", ";;", "%%", "[<")
_PARAGRAPH: Final = re.compile(r"\S[^\n]*(?:\n(?![^\S\n]*(?:\n|\Z))[^\n]*)*")
_MAX_GENERICS: Final = 3
_MAX_HEADINGS: Final = 2
_MAX_LEADING: Final = 40


def read_source(text: str, name: str, language: str) -> Parsed:
    """Return what was read of a file in a language that `languages` told."""
    found = _Definitions(text)
    found.read(_lexer(language))
    headings: list[tuple[int, int, str]] = []
    floor = 0
    for start, depth, title in found.headings:
        headings.append((_with_leading(text, start, floor), depth, title))
        floor = text.find("\n", start) + 1 or len(text)
    return Parsed(
        media_type=f"text/x-{language}",
        title=name,
        text=text,
        blocks=tuple(_blocks(text, [start for start, _, _ in headings])),
        sections=sections_of(headings, len(text)),
        symbols=tuple(found.symbols),
        markup=tuple(_spans(found.code)),
    )


@lru_cache(maxsize=64)
def _lexer(language: str) -> Lexer:
    return find_lexer_class_by_name(language)(ensurenl=False, stripnl=False, stripall=False)


def _with_leading(text: str, start: int, floor: int) -> int:
    """Return where a definition begins with the comments and decorators right above it, not before ``floor``."""
    for _ in range(_MAX_LEADING):
        before = text.rfind("\n", 0, max(0, start - 1)) + 1
        if before < floor or start == 0 or not text[before:start].lstrip().startswith(_LEADING):
            break
        start = before
    return start


def _blocks(text: str, starts: Iterable[int]) -> Iterator[Block]:
    """Give out the parts between blank lines, each definition apart."""
    borders = sorted({0, *starts, len(text)})
    for start, end in itertools.pairwise(borders):
        for found in _PARAGRAPH.finditer(text, start, end):
            yield Block(span=Span(start=found.start(), end=found.end()), kind=BlockKind.CODE)


def _spans(pairs: Iterable[tuple[int, int]]) -> Iterator[Span]:
    return (Span(start=start, end=end) for start, end in pairs)


def _implementing(text: str, at: int) -> str:
    """Return the type whose implementation in Rust begins there, as in ``impl<T> Trait for Type<T>``."""
    found = _IMPL.match(text, at)
    header = found[0] if found else ""
    for _ in range(_MAX_GENERICS):
        header = _GENERIC.sub("", header)
    words = header.split(" where ")[0].split()
    return words[-1].rpartition("::")[2] if len(words) > 1 and _NAME.fullmatch(words[-1].rpartition("::")[2]) else ""


class _Definitions:
    """What a file defines, told from its tokens in order."""

    def __init__(self, text: str) -> None:
        self.symbols: list[Symbol] = []
        self.headings: list[tuple[int, int, str]] = []
        self.code: list[tuple[int, int]] = []
        self._text = text
        self._line = 0
        self._indent = 0
        self._scopes: list[tuple[int, str, str]] = []
        self._declared: str | None = None
        self._before = ""

    def read(self, lexer: Lexer) -> None:
        """Go through the tokens once."""
        first_of_line = True
        for at, kind, value in lexer.get_tokens_unprocessed(self._text):
            blank = not value.strip() if kind in Text or kind in Whitespace else False
            prose = (kind in Comment and kind not in Comment.Preproc) or kind in String.Doc
            if not prose:
                self._add_code(at, at + len(value))
            if not blank:
                if first_of_line and not prose and kind not in String:
                    self._begin_line(at, value)
                if not prose:
                    word = value.strip()
                    if kind in Keyword or word in _DECLARES:
                        self._keyword(at, word)
                    elif kind in Name and self._is_defined(kind is Name.Function) and _NAME.fullmatch(word):
                        self._define(at + value.find(word), word, self._declared or "function")
                    elif word not in ("*", "&"):
                        self._declared = None
                    self._before = word
                first_of_line = False
            if "\n" in value:
                self._line = at + value.rfind("\n") + 1
                first_of_line = not self._text[self._line : at + len(value)].strip()

    def _is_defined(self, is_function: bool) -> bool:  # noqa: FBT001 - of the token at hand
        return self._declared is not None or (is_function and self._before not in _USES)

    def _add_code(self, start: int, end: int) -> None:
        if self.code and self.code[-1][1] == start:
            start = self.code.pop()[0]
        self.code.append((start, end))

    def _begin_line(self, at: int, value: str) -> None:
        self._indent = at - self._line
        if value[:1] not in "{)":
            while self._scopes and self._scopes[-1][0] >= self._indent:
                self._scopes.pop()
        self._declared = None
        in_class = bool(self._scopes) and self._scopes[-1][2] in _CLASSES
        if in_class and (method := _METHOD.match(self._text, at)) and method[1] not in _NO_METHODS:
            self._define(method.start(1), method[1], "method")

    def _keyword(self, at: int, word: str) -> None:
        lowered = word.lower()
        if word == "impl" and (owner := _implementing(self._text, at)):
            while self._scopes and self._scopes[-1][0] >= self._indent:
                self._scopes.pop()
            self._scopes.append((self._indent, owner, "class"))
        elif lowered == "func" and (method := _RECEIVER.match(self._text, at)):
            self._define(method.start(2), method[2], "method", owner=method[1])
            self._declared = None
        elif lowered in _DECLARES:
            self._declared = _DECLARES[lowered]

    def _define(self, start: int, word: str, kind: str, owner: str = "") -> None:
        self._declared = None
        if self.symbols and self.symbols[-1].span.start == start:
            return
        within = [name for _, name, _ in self._scopes] or ([owner] if owner else [])
        kind = "method" if within and kind == "function" else kind
        name = ".".join((*within, word))
        self.symbols.append(Symbol(span=Span(start=start, end=start + len(word)), name=name, kind=kind))
        if len(within) < _MAX_HEADINGS and (not self.headings or self.headings[-1][0] != self._line):
            self.headings.append((self._line, len(within) + 1, word))
        self._scopes.append((self._indent, word, kind))
