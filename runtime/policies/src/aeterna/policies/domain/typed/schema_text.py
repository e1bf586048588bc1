"""Cedar's schema syntax read into declarations whose names are not yet resolved.

The grammar is that of https://docs.cedarpolicy.com/schema/human-readable-schema-grammar.html. Cedar has accepted the
text before it comes here, so what is left to refuse is syntax that is newer than this reader.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NoReturn, TypeVar

from aeterna.cedar.errors import BundleInvalidError

if TYPE_CHECKING:
    from collections.abc import Callable

_TOKEN: Final = re.compile(
    r"""(?P<skip>\s+|//[^\n\r]*)|(?P<string>"(?:[^"\\]|\\.)*")|(?P<name>[A-Za-z_]\w*)|(?P<sign>::|[\[\]{}()<>,;:=?@])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE: Final = re.compile(r"\\(u\{(?P<braced>[0-9A-Fa-f_]+)\}|x(?P<hex>[0-9A-Fa-f]{2})|.)", re.DOTALL)
_PLAIN_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}
_Part = TypeVar("_Part")


@dataclass(frozen=True, slots=True)
class Named:
    """A type by a name that is to be looked up."""

    name: str


@dataclass(frozen=True, slots=True)
class SetWritten:
    """``Set<…>``."""

    element: Written


@dataclass(frozen=True, slots=True)
class RecordWritten:
    """``{name: type, name?: type}``; the flag says whether the attribute must be there."""

    attributes: Mapping[str, tuple[Written, bool]] = field(default_factory=dict[str, "tuple[Written, bool]"])


Written = Named | SetWritten | RecordWritten


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityWritten:
    """``entity Name in [Parents] = {…} tags T`` or ``entity Name enum ["…"]``."""

    parents: tuple[str, ...] = ()
    attributes: Written = field(default_factory=RecordWritten)
    tags: Written | None = None
    choices: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionWritten:
    """``action "name" in [groups] appliesTo {…}``; a group's type is None if only its name is written."""

    groups: tuple[tuple[str | None, str], ...] = ()
    principals: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    context: Written = field(default_factory=RecordWritten)


@dataclass(slots=True)
class Namespace:
    """What one namespace declares."""

    types: dict[str, Written] = field(default_factory=dict[str, "Written"])
    entities: dict[str, EntityWritten] = field(default_factory=dict[str, EntityWritten])
    actions: dict[str, ActionWritten] = field(default_factory=dict[str, ActionWritten])


def namespaces_of(text: str) -> dict[str, Namespace]:
    """Return every namespace by its name, the one without a name as ``""``; raise `BundleInvalidError`."""
    return _Reader(text).namespaces()


def unescaped(written: str) -> str:
    """Return what a string literal of Cedar, with its quotes, says; its escapes are Rust's."""
    return _ESCAPE.sub(_said, written[1:-1])


def _said(escape: re.Match[str]) -> str:
    code = escape["braced"] or escape["hex"]
    return chr(int(code.replace("_", ""), 16)) if code else _PLAIN_ESCAPES.get(escape[1], escape[1])


class _Reader:
    """A recursive descent over the tokens."""

    def __init__(self, text: str) -> None:
        self._tokens: list[str] = []
        self._lines: list[int] = []
        at, line = 0, 1
        while at < len(text):
            found = _TOKEN.match(text, at)
            if found is None:
                raise BundleInvalidError("schema", f"cannot read {text[at]!r}", line=line)
            if found.lastgroup != "skip":
                self._tokens.append(found[0])
                self._lines.append(line)
            line += found[0].count("\n")
            at = found.end()
        self._at = 0

    def namespaces(self) -> dict[str, Namespace]:
        found: dict[str, Namespace] = {"": Namespace()}
        while self._at < len(self._tokens):
            self._annotations()
            if self._take("namespace"):
                space = found.setdefault(self._path(), Namespace())
                self._need("{")
                while not self._take("}"):
                    self._annotations()
                    self._declaration(space)
            else:
                self._declaration(found[""])
        return found

    def _declaration(self, space: Namespace) -> None:
        word = self._next()
        if word == "type":
            name = self._next()
            self._need("=")
            space.types[name] = self._type()
            self._need(";")
        elif word == "entity":
            names = self._separated(self._next)
            declared = self._entity()
            space.entities.update(dict.fromkeys(names, declared))
        elif word == "action":
            names = self._separated(self._name)
            written = self._action()
            space.actions.update(dict.fromkeys(names, written))
        else:
            self._refuse(word)

    def _entity(self) -> EntityWritten:
        if self._take("enum"):
            self._need("[")
            choices = tuple(self._until_bracket(self._name))
            self._need(";")
            return EntityWritten(choices=choices)
        parents = self._one_or_list(self._path) if self._take("in") else ()
        attributes: Written = RecordWritten()
        if self._take("=") or self._peek() == "{":
            attributes = self._type()
        tags = self._type() if self._take("tags") else None
        self._need(";")
        return EntityWritten(parents=parents, attributes=attributes, tags=tags)

    def _action(self) -> ActionWritten:
        groups = self._one_or_list(self._group) if self._take("in") else ()
        principals: tuple[str, ...] = ()
        resources: tuple[str, ...] = ()
        context: Written = RecordWritten()
        if self._take("appliesTo"):
            self._need("{")
            while not self._take("}"):
                part = self._next()
                self._need(":")
                if part == "principal":
                    principals = self._one_or_list(self._path)
                elif part == "resource":
                    resources = self._one_or_list(self._path)
                elif part == "context":
                    context = self._type()
                else:
                    self._refuse(part)
                self._take(",")
        self._need(";")
        return ActionWritten(groups=groups, principals=principals, resources=resources, context=context)

    def _group(self) -> tuple[str | None, str]:
        first = self._name()
        parts = [first]
        while self._take("::"):
            parts.append(self._name())
        return ("::".join(parts[:-1]) or None, parts[-1])

    def _type(self) -> Written:
        if self._take("{"):
            attributes: dict[str, tuple[Written, bool]] = {}
            while not self._take("}"):
                self._annotations()
                name = self._name()
                required = not self._take("?")
                self._need(":")
                attributes[name] = (self._type(), required)
                self._take(",")
            return RecordWritten(attributes)
        name = self._path()
        if name == "Set" and self._take("<"):
            element = self._type()
            self._need(">")
            return SetWritten(element)
        return Named(name)

    def _annotations(self) -> None:
        while self._take("@"):
            self._next()
            if self._take("("):
                self._next()
                self._need(")")

    def _path(self) -> str:
        parts = [self._next()]
        while self._take("::"):
            parts.append(self._next())
        return "::".join(parts)

    def _name(self) -> str:
        token = self._next()
        return unescaped(token) if token.startswith('"') else token

    def _one_or_list(self, one: Callable[[], _Part]) -> tuple[_Part, ...]:
        return tuple(self._until_bracket(one)) if self._take("[") else (one(),)

    def _until_bracket(self, one: Callable[[], _Part]) -> list[_Part]:
        found: list[_Part] = []
        while not self._take("]"):
            found.append(one())
            self._take(",")
        return found

    def _separated(self, one: Callable[[], _Part]) -> list[_Part]:
        found = [one()]
        while self._take(","):
            found.append(one())
        return found

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        if not token:
            self._refuse("the end")
        self._at += 1
        return token

    def _take(self, token: str) -> bool:
        taken = self._peek() == token
        self._at += taken
        return taken

    def _need(self, token: str) -> None:
        if not self._take(token):
            self._refuse(self._peek())

    def _refuse(self, token: str) -> NoReturn:
        line = self._lines[min(self._at, len(self._lines) - 1)] if self._lines else 1
        raise BundleInvalidError("schema", f"{token!r} is syntax that the analysis does not know", line=line)
