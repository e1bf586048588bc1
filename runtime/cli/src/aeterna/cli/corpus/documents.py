"""Reads Markdown documents into a knowledge graph: documents, their sections, and the links between them."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt

from aeterna.cli.corpus.corpus import Corpus
from aeterna.cli.errors import SourceUnreadableError
from aeterna.client import Edge, Node

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from markdown_it.token import Token

TYPES = ("has_document", "has_section", "links_to")
HIDDEN = re.compile(r"(^|/)\.")
EXCERPT = 1_000
"""Characters of a section's own text that are kept."""


@dataclass(slots=True, kw_only=True)
class Section:
    """One heading and what stands under it, up to the next heading."""

    id: str
    title: str
    level: int
    text: list[str] = field(default_factory=list[str])
    links: list[str] = field(default_factory=list[str])


def project_documents(root: Path) -> Corpus:
    """Return the corpus of the Markdown files at the top of a folder and under its ``docs``."""
    paths = sorted({*root.glob("*.md"), *root.glob("docs/**/*.md")})
    return documents("project", {path.relative_to(root).as_posix(): _text(path) for path in paths})


def folder_documents(folder: Path) -> Corpus:
    """Return the corpus of every Markdown file under a folder, without hidden ones."""
    found = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*.md"))}
    return documents(folder.name, {name: _text(path) for name, path in found.items() if not HIDDEN.search(name)})


def documents(name: str, texts: Mapping[str, str]) -> Corpus:
    """Return the corpus of documents given as text by their path."""
    root = Node(id=f"docs:{name}", kind="Documentation", properties={"name": name})
    sections = {path: _sections(_document_id(name, path), path, text) for path, text in texts.items()}
    known = {section.id for found in sections.values() for section in found}
    nodes: dict[str, Node] = {}
    edges: dict[tuple[str, str, str], Edge] = {}

    def link(source: str, type_: str, target: str) -> None:
        edges[source, type_, target] = Edge(source=source, type=type_, target=target)

    for path, found in sections.items():
        link(root.id, "has_document", found[0].id)
        open_sections: list[Section] = []
        for section in found:
            nodes[section.id] = _node(section, path)
            while open_sections and open_sections[-1].level >= section.level:
                open_sections.pop()
            if open_sections:
                link(open_sections[-1].id, "has_section", section.id)
            open_sections.append(section)
            for address in section.links:
                target = _target(name, path, address, known)
                if target is not None:
                    nodes.setdefault(target.id, target)
                    link(section.id, "links_to", target.id)
    return Corpus(
        source=f"documents-{name}",
        root=root,
        nodes=tuple(nodes.values()),
        edges=tuple(edges.values()),
        types=TYPES,
        depth=5,
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as unreadable:
        raise SourceUnreadableError(path, str(unreadable)) from unreadable


def _document_id(name: str, path: str) -> str:
    return f"doc:{name}/{path}"


def _sections(document: str, path: str, text: str) -> list[Section]:
    """Return the document itself, as the section of level 0, and each heading's section in order."""
    tokens = MarkdownIt("commonmark").parse(text)
    whole = Section(id=document, title=path, level=0)
    sections, slugs = [whole], dict[str, int]()
    titled = False
    for index, token in enumerate(tokens):
        if token.type == "heading_open":
            title = _words(tokens[index + 1])
            level = int(token.tag.removeprefix("h"))
            if level == 1 and not titled:
                whole.title, titled = title, True
                continue
            sections.append(Section(id=f"{document}#{_slug(title, slugs)}", title=title, level=level))
        elif token.type == "inline":
            sections[-1].links.extend(_links(token))
            if tokens[index - 1].type != "heading_open":
                sections[-1].text.append(_words(token))
    return sections


def _node(section: Section, path: str) -> Node:
    kind = "Section" if section.level else "Document"
    text = "\n".join(section.text)[:EXCERPT]
    properties: dict[str, str | int] = {"title": section.title, "path": path, "text": text}
    return Node(id=section.id, kind=kind, properties=properties)


def _target(name: str, path: str, address: str, known: set[str]) -> Node | None:
    """Return the node that a link leads to: a section, a document, a web page, or a file; None for other schemes."""
    parts = urlsplit(address)
    if parts.scheme in {"http", "https"}:
        page = parts._replace(fragment="").geturl()
        return Node(id=f"web:{page}", kind="WebPage", properties={"url": page, "host": parts.netloc})
    if parts.scheme or parts.netloc:
        return None
    file = posixpath.normpath(posixpath.join(posixpath.dirname(path), unquote(parts.path))) if parts.path else path
    document = _document_id(name, file)
    section = f"{document}#{parts.fragment}"
    if parts.fragment and section in known:
        return Node(id=section, kind="Section")
    return Node(id=document, kind="Document" if document in known else "File", properties={"path": file})


def _words(token: Token) -> str:
    return "".join(" " if child.type in {"softbreak", "hardbreak"} else child.content for child in token.children or ())


def _links(token: Token) -> list[str]:
    addresses = (child.attrGet("href") for child in token.children or () if child.type == "link_open")
    return [address for address in addresses if isinstance(address, str)]


def _slug(title: str, seen: dict[str, int]) -> str:
    """Return the anchor of a heading as GitHub makes it: the second of a kind gets ``-1``."""
    plain = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
    count = seen.get(plain, 0)
    seen[plain] = count + 1
    return f"{plain}-{count}" if count else plain
