"""Error codes are a public contract: unique, described, and changed only on purpose."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path

from aeterna.contracts.errors import AeternaError
from fixtures.workspace import modules

CODES = Path(__file__).with_name("error_codes.json")


def errors() -> list[type[AeternaError]]:
    """Return every error class of the workspace."""
    for module in modules():
        if module.path.stem == "errors":
            importlib.import_module(module.name)
    found: list[type[AeternaError]] = []
    waiting = [AeternaError]
    while waiting:
        kind = waiting.pop()
        if kind in found:  # it has two parents, of which one is a library's
            continue
        found.append(kind)
        waiting.extend(kind.__subclasses__())
    return [kind for kind in found if kind.__module__.startswith("aeterna.")]


def test_every_error_has_a_code_of_its_own() -> None:
    """A client that mirrors a server's error may repeat its code: it is the same word on the other side."""
    own = [kind for kind in errors() if "code" in vars(kind) and not kind.__module__.startswith("aeterna.client")]

    assert sorted({kind.code for kind in own}) == sorted(kind.code for kind in own)


def test_every_code_is_two_words_joined_by_a_dot() -> None:
    wrong = [kind for kind in errors() if not re.fullmatch(r"[a-z][a-z0-9]*\.[a-z_]+", kind.code)]

    assert wrong == []


def test_the_docstring_of_every_error_is_its_meaning() -> None:
    assert [kind for kind in errors() if not kind.__doc__] == []


def test_the_codes_are_those_that_were_published() -> None:
    """To change this list on purpose, edit error_codes.json and say so in the changelog."""
    assert sorted({kind.code for kind in errors()}) == json.loads(CODES.read_text("utf-8"))
