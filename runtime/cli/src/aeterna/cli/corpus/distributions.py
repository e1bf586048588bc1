"""Reads the Python distributions installed in an environment into a knowledge graph.

From their metadata (the core metadata specification of the Python Packaging Authority): packages, requirements with
extras and markers, licences, authors and maintainers by name. E-mail addresses are personal data that the sample does
not need: they are left out.
"""

from __future__ import annotations

import platform
import re
from collections import defaultdict
from email.utils import getaddresses
from importlib import metadata
from typing import TYPE_CHECKING

from packaging.markers import UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from aeterna.cli.corpus.corpus import Corpus
from aeterna.client import Edge, Node

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aeterna.client import JsonObject, JsonValue

SOURCE = "python-environment"
ROOT = "environment:python"
TYPES = ("installs", "requires", "licensed_under", "authored_by", "maintained_by")
UNNAMED = {"", "unknown", "none"}
LONGEST_LICENCE = 80
"""Longer than this, a licence field holds the licence's whole text rather than its name."""
CLASSIFIER = "License :: "


def python_environment(found: Iterable[metadata.Distribution] | None = None) -> Corpus:
    """Return the corpus of an environment: this process's own, unless distributions are given."""
    packages = {_name(package): package for package in (metadata.distributions() if found is None else found)}
    nodes: dict[str, Node] = {}
    edges: list[Edge] = []
    for name in sorted(packages):
        package = packages[name]
        own = Node(id=f"pypi:{name}", kind="Distribution", properties=_properties(package))
        nodes[own.id] = own
        edges.append(Edge(source=ROOT, type="installs", target=own.id))
        for node, edge in (*_requirements(own.id, package), *_licences(own.id, package), *_people(own.id, package)):
            nodes.setdefault(node.id, node)
            edges.append(edge)
    root = Node(id=ROOT, kind="Environment", properties={"python": platform.python_version()})
    return Corpus(source=SOURCE, root=root, nodes=tuple(nodes.values()), edges=tuple(edges), types=TYPES, depth=2)


def _name(package: metadata.Distribution) -> str:
    return canonicalize_name(package.metadata["Name"] or "unnamed")


def _field(package: metadata.Distribution, name: str) -> str | None:
    values = package.metadata.get_all(name)
    return values[0] if values else None


def _properties(package: metadata.Distribution) -> JsonObject:
    facts: dict[str, JsonValue] = {
        "name": package.metadata["Name"],
        "version": package.version,
        "summary": _field(package, "Summary"),
        "requires_python": _field(package, "Requires-Python"),
        "extras": sorted(package.metadata.get_all("Provides-Extra") or ()),
        "installed": True,
    }
    return {name: value for name, value in facts.items() if value not in (None, [])}


def _requirements(own: str, package: metadata.Distribution) -> list[tuple[Node, Edge]]:
    """Return what a package requires; several lines for one package (by marker) become one edge."""
    lines: defaultdict[str, list[Mapping[str, JsonValue]]] = defaultdict(list)
    for line in package.requires or ():
        try:
            requirement = Requirement(line)
        except InvalidRequirement:  # old metadata may hold what no installer reads any more
            continue
        lines[canonicalize_name(requirement.name)].append(_requirement(requirement))
    return [
        (
            Node(id=f"pypi:{name}", kind="Distribution", properties={"name": name, "installed": False}),
            Edge(
                source=own,
                type="requires",
                target=f"pypi:{name}",
                properties={
                    "requirements": asked,
                    "always": any(requirement["applies"] is True for requirement in asked),
                },
            ),
        )
        for name, asked in sorted(lines.items())
    ]


def _requirement(requirement: Requirement) -> Mapping[str, JsonValue]:
    marker = requirement.marker
    try:
        applies = marker is None or marker.evaluate({"extra": ""})
    except UndefinedEnvironmentName:
        applies = False
    facts: dict[str, JsonValue] = {
        "specifier": str(requirement.specifier),
        "extras": sorted(requirement.extras),
        "marker": str(marker) if marker else None,
    }
    return {**{name: value for name, value in facts.items() if value}, "applies": applies}


def _licences(own: str, package: metadata.Distribution) -> list[tuple[Node, Edge]]:
    expression = _field(package, "License-Expression")
    classifiers = [
        text.rpartition(" :: ")[2]
        for text in package.metadata.get_all("Classifier") or ()
        if text.startswith(CLASSIFIER) and text != "License :: OSI Approved"
    ]
    stated = (_field(package, "License") or "").strip()
    short = [stated] if len(stated) <= LONGEST_LICENCE and "\n" not in stated else []
    names = [expression] if expression else classifiers or short
    return [
        (
            Node(id=f"licence:{name}", kind="Licence", properties={"name": name}),
            Edge(source=own, type="licensed_under", target=f"licence:{name}"),
        )
        for name in sorted(set(names))
        if name.lower() not in UNNAMED
    ]


def _people(own: str, package: metadata.Distribution) -> list[tuple[Node, Edge]]:
    people: list[tuple[Node, Edge]] = []
    for field, type_ in (("Author", "authored_by"), ("Maintainer", "maintained_by")):
        names = {
            *_names(_field(package, field) or ""),
            *(name for name, _ in getaddresses([_field(package, f"{field}-email") or ""])),
        }
        for name in sorted(name for name in names if name.lower() not in UNNAMED and "@" not in name):
            slug = re.sub(r"\W+", "-", name.casefold()).strip("-")
            if slug:
                person = Node(id=f"person:{slug}", kind="Person", properties={"name": name})
                people.append((person, Edge(source=own, type=type_, target=person.id)))
    return _once(people)


def _names(text: str) -> list[str]:
    """Return the names in a free text field, where several are divided by commas."""
    return [name.strip() for name in re.split(r"[,;\n]", re.sub(r"<[^>]*>|\([^)]*@[^)]*\)", "", text))]


def _once(people: list[tuple[Node, Edge]]) -> list[tuple[Node, Edge]]:
    """Return each edge once: spellings of a name that differ only in case or punctuation are one person."""
    return list({(edge.source, edge.type, edge.target): (node, edge) for node, edge in people}.values())
