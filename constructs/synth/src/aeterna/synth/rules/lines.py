"""Finds the line on which each resource of a synthesized document begins, by how the engine indents."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from aeterna.synth.rules.subject import DATA

if TYPE_CHECKING:
    from collections.abc import Mapping

SECTION: Final = re.compile(r' {2}"(\w+)": {')
KIND: Final = re.compile(r' {4}"([\w-]+)": {')
NAME: Final = re.compile(r' {6}"([\w-]+)": {')
PREFIXES: Final = {"resource": "", "data": DATA}


def lines_of(text: str) -> Mapping[str, int]:
    """Return the line of each resource and data source by its address, and of each output."""
    found: dict[str, int] = {}
    section = kind = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if begins := SECTION.match(line):
            section = begins[1]
        elif begins := KIND.match(line):
            kind = begins[1]
            if section == "output":
                found[f"{section}.{kind}"] = number
        elif section in PREFIXES and (begins := NAME.match(line)):
            found[f"{PREFIXES[section]}{kind}.{begins[1]}"] = number
    return found
