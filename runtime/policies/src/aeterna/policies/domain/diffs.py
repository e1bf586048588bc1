"""What differs between the files of two bundles, in the form that ``diff -u`` made familiar."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDiff:
    """What became of one file; ``text`` is a unified diff with three lines around each change."""

    path: str
    change: Literal["added", "removed", "changed"]
    text: str


def file_diffs(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[FileDiff, ...]:
    """Return the files that differ, by path."""
    return tuple(
        _diff(path, before.get(path), after.get(path))
        for path in sorted({*before, *after})
        if before.get(path) != after.get(path)
    )


def _diff(path: str, before: str | None, after: str | None) -> FileDiff:
    lines = difflib.unified_diff(
        _lines(before),
        _lines(after),
        fromfile="/dev/null" if before is None else f"a/{path}",
        tofile="/dev/null" if after is None else f"b/{path}",
    )
    return FileDiff(
        path=path,
        change="added" if before is None else "removed" if after is None else "changed",
        text="".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines),
    )


def _lines(text: str | None) -> list[str]:
    # Not `splitlines`, which also ends a line at form feeds and at Unicode's separators, as no diff does.
    parts = (text or "").split("\n")
    ended, last = [f"{part}\n" for part in parts[:-1]], parts[-1]
    return [*ended, last] if last else ended
