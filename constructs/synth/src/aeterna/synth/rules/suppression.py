"""Exceptions to a rule: for one place, for a reason, until a day."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final, cast

from aeterna.contracts.errors import InvalidSpecError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from aeterna.synth.rules.rule import Finding

LONGEST: Final = timedelta(days=400)
"""A year and a month: long enough to be looked at once a year, short enough to be looked at."""
FIELDS: Final = ("path", "reason", "rule", "until")
_SPEC: Final = "Suppression"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """Lets what one rule finds at one place pass."""

    rule: str
    """The rule's id."""
    path: str
    """The construct's path or the resource's address; ``*`` stands for any text."""
    reason: str
    """Why it is right here. Whoever reads it next year has only this."""
    until: date
    """The last day on which it holds, at most 400 days ahead."""

    def __post_init__(self) -> None:
        """Refuse a suppression that says nothing."""
        if not self.reason.strip():
            raise InvalidSpecError(_SPEC, "reason", f"{self.rule} at {self.path} has none", "say why it is right here")
        if not self.path.strip():
            raise InvalidSpecError(_SPEC, "path", f"{self.rule} names no place", "name the construct's path")
        if not self.path.strip("*"):
            problem = f"{self.path} is every place"
            raise InvalidSpecError(_SPEC, "path", problem, f"name one, or leave {self.rule} out altogether")

    def covers(self, finding: Finding) -> bool:
        """Say whether it speaks of this finding."""
        return self.rule == finding.rule and (
            fnmatchcase(finding.path, self.path) or fnmatchcase(finding.address, self.path)
        )

    def holds(self, today: date) -> bool:
        """Say whether it has not expired."""
        return today <= self.until


def checked(suppressions: Iterable[Suppression], *, known: Collection[str], today: date) -> tuple[Suppression, ...]:
    """Return the suppressions. Raises `InvalidSpecError` for an unknown rule and for a day too far ahead."""
    given = tuple(suppressions)
    for each in given:
        if each.rule not in known:
            problem = f"there is no rule {each.rule!r}"
            raise InvalidSpecError(_SPEC, "rule", problem, f"name one of {', '.join(sorted(known))}")
        if each.until > today + LONGEST:
            problem = f"{each.until} is more than {LONGEST.days} days ahead"
            raise InvalidSpecError(_SPEC, "until", problem, f"use {today + LONGEST} or an earlier day")
    return given


def parse(text: str) -> tuple[Suppression, ...]:
    """Return the suppressions of a JSON file: a list of objects. Raises `InvalidSpecError`."""
    try:
        found = json.loads(text)
    except ValueError as failure:
        raise InvalidSpecError(_SPEC, "file", f"no JSON: {failure}", "write a list of objects") from failure
    if not isinstance(found, list):
        raise InvalidSpecError(_SPEC, "file", "no list", "write a list of objects")
    return tuple(_suppression(each) for each in cast("list[Any]", found))


def _suppression(given: Any) -> Suppression:  # noqa: ANN401 - it is whatever stands in a file
    if not isinstance(given, dict) or sorted(cast("dict[str, object]", given)) != list(FIELDS):
        raise InvalidSpecError(_SPEC, "file", f"{given!r} is no suppression", f"give {', '.join(FIELDS)}, each a text")
    fields = {name: str(value) for name, value in cast("dict[str, object]", given).items()}
    try:
        until = date.fromisoformat(fields["until"])
    except ValueError as failure:
        problem = f"{fields['until']!r} is no day"
        raise InvalidSpecError(_SPEC, "until", problem, "write it as 2027-01-31") from failure
    return Suppression(rule=fields["rule"], path=fields["path"], reason=fields["reason"], until=until)
