"""Findings as annotations of a GitHub workflow, which shows them beside the lines of a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.policies.domain.findings import Kind

if TYPE_CHECKING:
    from aeterna.policies.domain.findings import Finding, Report

# docs.github.com: "Workflow commands". A property's value must hold none of these, a message none of the first three.
_MESSAGE = (("%", "%25"), ("\r", "%0D"), ("\n", "%0A"))
_PROPERTY = (*_MESSAGE, (":", "%3A"), (",", "%2C"))


def annotations_of(report: Report, folder: str) -> str:
    """Return a line for each finding that no annotation excuses; files are named from the folder's own place."""
    return "".join(_line(found, folder) for found in report.findings if found.intended is None)


def _line(found: Finding, folder: str) -> str:
    level = "error" if found.refuses else "warning" if found.kind is Kind.UNDECIDED else "notice"
    where = _escaped(f"{folder.rstrip('/')}/{found.place.file}", _PROPERTY)
    line = "" if found.place.line is None else f",line={found.place.line}"
    return f"::{level} file={where}{line},title={found.kind.value}::{_escaped(found.message, _MESSAGE)}\n"


def _escaped(text: str, replacements: tuple[tuple[str, str], ...]) -> str:
    for character, written in replacements:
        text = text.replace(character, written)
    return text
