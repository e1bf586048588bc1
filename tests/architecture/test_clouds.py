"""Every cloud looks the same from outside, so that a fourth one is known before it is written."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest

from fixtures.workspace import Module, modules

if TYPE_CHECKING:
    from collections.abc import Iterator

CLOUDS = ("aws", "azure", "gcp")
POSITIONAL = ["self", "scope", "id_", "spec"]

CONTRACTS = frozenset(
    {
        "alerts",
        "backup",
        "bucket",
        "cache",
        "catalog",
        "cluster",
        "database",
        "identity",
        "keys",
        "network",
        "parity",
        "place",
        "registry",
        "state",
    }
)
"""What a contract names, each cloud keeps in a file of the same name."""

MACHINERY = frozenset(
    {
        "__init__",
        "addresses",
        "errors",
        "foundation",
        "hosts",
        "json_value",
        "late",
        "naming",
        "recovery",
        "schema",
        "sizes",
    }
)
"""What the contracts are written with, and what is made of several of them."""

OF_ANY_CLUSTER = frozenset({"platform", "workloads", "trust"})
"""What the platform promises in any cluster, whoever's it is; so is all of the package ``injection``."""

SHARED = CONTRACTS | {
    "access",
    "admission",
    "alarm",
    "bucket_replica",
    "cache_machine",
    "cloud",
    "database_administrator",
    "database_machine",
    "database_replica",
    "guarded",
    "nodes",
    "regions",
}
"""What else each cloud needs, and calls the same."""

NEUTRAL = ("aeterna.contracts", "aeterna.synth", "aeterna.stacks")
NAMES_OF_CLOUDS = re.compile(
    r"\b(?:aws|amazon|azure|gcp|google|aks|biglake|cloudwatch|ecr|eks|entra|gcs|gke|kms|rds)\b", re.IGNORECASE
)
"""Whole words: the engine's own names, such as those of its backends, are longer ones."""

EXAMPLES = "aeterna.stacks.examples"
"""Where a cloud is chosen, so that one is named."""


def cloud_modules(cloud: str) -> dict[str, Module]:
    """Return the modules directly in a cloud's folder, by their own name."""
    package = f"aeterna.{cloud}"
    return {
        module.path.stem: module for module in modules() if module.package == package and module.name.count(".") == 2
    }


def constructors(cloud: str) -> Iterator[tuple[str, ast.arguments]]:
    """Return what makes each public construct that follows a contract: its name and its parameters after ``self``."""
    found = cloud_modules(cloud)
    for name in sorted(CONTRACTS | {"bucket_replica", "database_replica"}):
        for kind in found[name].tree.body:
            if isinstance(kind, ast.ClassDef) and not kind.name.startswith("_"):
                for made in kind.body:
                    if isinstance(made, ast.FunctionDef) and made.name == "__init__":
                        yield f"{cloud}.{name}.{kind.name}", made.args


def test_every_contract_is_asked_of_every_cloud() -> None:
    """A contract that is added is added here, and so to each cloud."""
    contracts = cloud_modules("contracts").keys()

    assert contracts - MACHINERY - OF_ANY_CLUSTER == CONTRACTS


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_same_thing_stands_in_the_same_file_of_every_cloud(cloud: str) -> None:
    assert sorted(SHARED - cloud_modules(cloud).keys()) == []


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_construct_takes_its_scope_its_id_and_its_spec_and_everything_else_by_name(cloud: str) -> None:
    """``(scope, id_, spec, *, …)``: who has read one construct can write down any other."""
    wrong = [
        f"{name}({', '.join(parameter.arg for parameter in arguments.args)})"
        for name, arguments in constructors(cloud)
        # Parts beside the construct that the contract names have no spec of their own.
        if [parameter.arg for parameter in arguments.args] not in (POSITIONAL, POSITIONAL[:-1])
        or arguments.vararg
        or arguments.kwarg
    ]

    assert wrong == []


@pytest.mark.parametrize("contract", sorted(CONTRACTS - {"parity", "place"}))
@pytest.mark.parametrize("cloud", CLOUDS)
def test_what_follows_a_contract_takes_its_spec(cloud: str, contract: str) -> None:
    takers = [
        name
        for name, arguments in constructors(cloud)
        if name.startswith(f"{cloud}.{contract}.") and [parameter.arg for parameter in arguments.args] == POSITIONAL
    ]

    assert takers


def test_no_neutral_module_names_a_cloud() -> None:
    """A name of one cloud in what serves all of them is an assumption that the next cloud breaks."""
    wrong = {
        f"{module.name}: {found.group()}"
        for module in modules()
        if module.package in NEUTRAL and not module.name.startswith(EXAMPLES)
        for found in [NAMES_OF_CLOUDS.search(module.path.read_text("utf-8"))]
        if found
    }

    assert wrong == set()
