"""Markdown as a graph: documents, sections and links."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeterna.cli.corpus.documents import documents, folder_documents, project_documents
from aeterna.cli.errors import SourceUnreadableError

if TYPE_CHECKING:
    from pathlib import Path

    from aeterna.cli.corpus.corpus import Corpus

README = """# Aeterna

Read the [guide](docs/guide/start.md#first-steps) and [PEP 420](https://peps.python.org/pep-0420/#x).

## Use

Twice [here](#use) and [there](docs/guide/start.md); write to [us](mailto:us@example.org).

### Deeply

`code` and *more*.

## Use

Again.
"""
START = "# Start\n\n## First steps\n\nBack to the [readme](../../README.md) and a [file](../../LICENSE).\n"


@pytest.fixture
def corpus() -> Corpus:
    return documents("p", {"README.md": README, "docs/guide/start.md": START})


def targets(corpus: Corpus, source: str, type_: str) -> list[str]:
    return [edge.target for edge in corpus.edges if (edge.source, edge.type) == (source, type_)]


def test_a_document_is_titled_by_its_first_heading(corpus: Corpus) -> None:
    titles = {node.id: node.properties["title"] for node in corpus.nodes if node.kind == "Document"}

    assert titles == {"doc:p/README.md": "Aeterna", "doc:p/docs/guide/start.md": "Start"}


def test_sections_nest_as_headings_do(corpus: Corpus) -> None:
    assert targets(corpus, "doc:p/README.md", "has_section") == ["doc:p/README.md#use", "doc:p/README.md#use-1"]
    assert targets(corpus, "doc:p/README.md#use", "has_section") == ["doc:p/README.md#deeply"]


def test_a_section_holds_its_own_text(corpus: Corpus) -> None:
    deeply = next(node for node in corpus.nodes if node.id.endswith("#deeply"))

    assert deeply.properties["text"] == "code and more."


def test_a_link_leads_to_a_section_a_document_a_file_or_a_page(corpus: Corpus) -> None:
    assert targets(corpus, "doc:p/README.md", "links_to") == [
        "doc:p/docs/guide/start.md#first-steps",
        "web:https://peps.python.org/pep-0420/",
    ]
    assert targets(corpus, "doc:p/README.md#use", "links_to") == ["doc:p/README.md#use", "doc:p/docs/guide/start.md"]
    assert targets(corpus, "doc:p/docs/guide/start.md#first-steps", "links_to") == ["doc:p/README.md", "doc:p/LICENSE"]


def test_every_edge_has_both_its_ends(corpus: Corpus) -> None:
    """An edge to an unknown node would make the service refuse the whole session."""
    known = {corpus.root.id, *(node.id for node in corpus.nodes)}

    assert {end for edge in corpus.edges for end in (edge.source, edge.target)} <= known


def test_the_same_documents_have_the_same_digest(corpus: Corpus) -> None:
    again = documents("p", {"docs/guide/start.md": START, "README.md": README})
    other = documents("p", {"docs/guide/start.md": START, "README.md": README + "\nMore.\n"})

    assert corpus.digest() == again.digest() != other.digest()


def test_hidden_folders_are_not_read(tmp_path: Path) -> None:
    for folder in (".git", "open"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.md").write_text("# X\n")

    assert [node.id for node in folder_documents(tmp_path).nodes] == [f"doc:{tmp_path.name}/open/x.md"]


def test_a_project_is_read_at_its_top_and_under_docs(tmp_path: Path) -> None:
    for name in ("README.md", "docs/a.md", "src/b.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("# X\n")

    assert {node.id for node in project_documents(tmp_path).nodes} == {"doc:project/README.md", "doc:project/docs/a.md"}


def test_a_document_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.md").write_bytes(b"\xff\xfe")

    with pytest.raises(SourceUnreadableError, match=r"x\.md"):
        folder_documents(tmp_path)
