"""The layout is a law that the linter holds; these tests hold the linter to the layout."""

from __future__ import annotations

import ast
import re
import tomllib
from typing import Any

import pytest

from fixtures.workspace import ROOT, Module, members, modules

NODE_SIDE = frozenset({"cdktf", "cdktn", "jsii"})
DRIVERS = frozenset(
    {"duckdb", "pyiceberg", "psycopg", "psycopg_pool", "cedarpy", "igraph", "leidenalg", "hvac", "redis"}
)
PARTS_THAT_SPEAK_HTTP = ("api", "main", "__main__")


def configuration() -> dict[str, Any]:
    """Return the workspace's configuration."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def part(module: Module) -> str:
    """Return the part of its package that a module is in: ``adapters`` for ``aeterna.graph.adapters.iceberg``."""
    names = module.name.split(".")
    return names[2] if len(names) > 2 else ""


def test_the_linter_names_every_member() -> None:
    linted = configuration()["tool"]["importlinter"]["root_packages"]

    assert sorted(linted) == sorted({module.package for module in modules()})


def test_the_linter_ignores_nothing() -> None:
    contracts = configuration()["tool"]["importlinter"]["contracts"]

    assert [contract["name"] for contract in contracts if "ignore_imports" in contract] == []


def test_no_top_folder_is_a_package() -> None:
    """A package ``constructs`` at the root would shadow the library of that name."""
    assert [
        path
        for name in ("constructs", "stacks", "runtime", "sidecars", "tests")
        for path in (ROOT / name).glob("__init__.py")
    ] == []


def test_the_namespace_has_no_init() -> None:
    """PEP 420: one ``aeterna/__init__.py`` would hide every other member."""
    assert [member for member in members() if (member / "src" / "aeterna" / "__init__.py").exists()] == []


def test_every_member_ships_its_types() -> None:
    assert [member for member in members() if not list((member / "src" / "aeterna").glob("*/py.typed"))] == []


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
def test_a_module_opens_with_one_sentence(module: Module) -> None:
    assert ast.get_docstring(module.tree)


def test_the_cdk_is_imported_in_one_module() -> None:
    """One seam, so that the fork can take the place of the original."""
    users = {module.name for module in modules() if module.imports_any(NODE_SIDE)}

    assert users == {"aeterna.synth._cdk"}


def test_a_driver_is_imported_only_in_adapters() -> None:
    """Or in the library that all adapters to one of them share, which is nothing else."""
    users = {module for module in modules() if module.imports_any(DRIVERS) and part(module) != "adapters"}

    assert {module.name for module in users if module.package != "aeterna.postgres"} == set()


def test_fastapi_is_imported_only_where_http_is_spoken() -> None:
    wrong = {
        module.name
        for module in modules()
        if module.imports_any(frozenset({"fastapi", "starlette"}))
        and module.package != "aeterna.service"
        and part(module) not in PARTS_THAT_SPEAK_HTTP
    }

    assert wrong == set()


def reads_the_environment(module: Module) -> bool:
    """Say whether a module reads a variable; setting one for a child process, as the seam does, is no reading."""
    text = ast.unparse(module.tree)
    return bool(re.search(r"os\.getenv|os\.environ(?!\.setdefault\(|\[[^]]*\] = )", text))


def test_the_environment_is_read_only_in_settings() -> None:
    wrong = {
        module.name
        for module in modules()
        if module.path.stem not in {"settings", "__main__"} and reads_the_environment(module)
    }

    assert wrong == set()
