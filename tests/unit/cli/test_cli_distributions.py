"""Installed distributions as a graph."""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING

import pytest

from aeterna.cli.corpus.distributions import ROOT, python_environment

if TYPE_CHECKING:
    from pathlib import Path

    from aeterna.cli.corpus.corpus import Corpus

LEDGER = """Metadata-Version: 2.4
Name: Ledger_Kit
Version: 1.4.2
Summary: Keeps books
Author-Email: Ada Lovelace <ada@example.org>, "Hopper, Grace" <grace@example.org>
Author: ada lovelace
Maintainer: The team <team@example.org>
License-Expression: Apache-2.0
Classifier: License :: OSI Approved :: MIT License
Requires-Python: >=3.11
Provides-Extra: fast
Requires-Dist: Book.Shelf>=2; python_version >= "3"
Requires-Dist: book-shelf<1; python_version < "3"
Requires-Dist: quick[c]==1; extra == "fast"
Requires-Dist: this is not a requirement !!
"""
SHELF = """Metadata-Version: 2.1
Name: book-shelf
Version: 2.0
License: UNKNOWN
Classifier: License :: OSI Approved :: MIT License
Classifier: License :: OSI Approved
"""


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    for name, text in (("ledger", LEDGER), ("shelf", SHELF)):
        folder = tmp_path / f"{name}.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(text)
    return python_environment(metadata.distributions(path=[str(tmp_path)]))


def found(corpus: Corpus, type_: str) -> set[tuple[str, str]]:
    return {(edge.source, edge.target) for edge in corpus.edges if edge.type == type_}


def test_names_are_normalised(corpus: Corpus) -> None:
    """``Book.Shelf`` and ``book-shelf`` are one project (the packaging specification of names)."""
    assert found(corpus, "installs") == {(ROOT, "pypi:book-shelf"), (ROOT, "pypi:ledger-kit")}


def test_a_distribution_has_what_its_metadata_say(corpus: Corpus) -> None:
    ledger = next(node for node in corpus.nodes if node.id == "pypi:ledger-kit")

    assert ledger.properties == {
        "name": "Ledger_Kit",
        "version": "1.4.2",
        "summary": "Keeps books",
        "requires_python": ">=3.11",
        "extras": ["fast"],
        "installed": True,
    }


def test_several_lines_for_one_project_are_one_edge(corpus: Corpus) -> None:
    edge = next(edge for edge in corpus.edges if edge.target == "pypi:book-shelf" and edge.type == "requires")

    assert edge.properties == {
        "always": True,
        "requirements": [
            {"specifier": ">=2", "marker": 'python_version >= "3"', "applies": True},
            {"specifier": "<1", "marker": 'python_version < "3"', "applies": False},
        ],
    }


def test_what_an_extra_requires_is_not_always_required(corpus: Corpus) -> None:
    edge = next(edge for edge in corpus.edges if edge.target == "pypi:quick")

    assert edge.properties["always"] is False


def test_what_is_required_and_not_installed_is_known_by_name(corpus: Corpus) -> None:
    quick = next(node for node in corpus.nodes if node.id == "pypi:quick")

    assert quick.properties == {"name": "quick", "installed": False}


def test_an_expression_goes_before_classifiers(corpus: Corpus) -> None:
    assert found(corpus, "licensed_under") == {
        ("pypi:ledger-kit", "licence:Apache-2.0"),
        ("pypi:book-shelf", "licence:MIT License"),
    }


def test_people_are_known_by_name_and_not_by_address(corpus: Corpus) -> None:
    assert found(corpus, "authored_by") == {
        ("pypi:ledger-kit", "person:ada-lovelace"),
        ("pypi:ledger-kit", "person:hopper-grace"),
    }
    assert found(corpus, "maintained_by") == {("pypi:ledger-kit", "person:the-team")}
    assert "@" not in str(corpus)


def test_reading_again_gives_the_same(corpus: Corpus, tmp_path: Path) -> None:
    assert python_environment(metadata.distributions(path=[str(tmp_path)])).digest() == corpus.digest()


def test_this_environment_can_be_read() -> None:
    corpus = python_environment()
    known = {corpus.root.id, *(node.id for node in corpus.nodes)}

    assert "pypi:aeterna-cli" in known
    assert {end for edge in corpus.edges for end in (edge.source, edge.target)} <= known
