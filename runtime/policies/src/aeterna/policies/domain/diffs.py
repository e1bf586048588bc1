"""What differs between the files of two bundles, in the form that ``diff -u`` made familiar."""

from __future__ import annotations

import difflib
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_CONTEXT: Final = 3
MOST_COMPARED: Final = 4_000_000  # pairs of lines: two files of 2,000 lines each


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDiff:
    """What became of one file; ``text`` is a unified diff with three lines around each change."""

    path: str
    change: Literal["added", "removed", "changed"]
    text: str


def file_diffs(
    before: Mapping[str, str], after: Mapping[str, str], *, most_compared: int = MOST_COMPARED
) -> tuple[FileDiff, ...]:
    """Return the files that differ, by path; above so many pairs of lines a change is told as one hunk."""
    return tuple(
        _diff(path, before.get(path), after.get(path), most_compared)
        for path in sorted({*before, *after})
        if before.get(path) != after.get(path)
    )


def _diff(path: str, before: str | None, after: str | None, most_compared: int) -> FileDiff:
    lines = [
        f"--- {'/dev/null' if before is None else f'a/{path}'}\n",
        f"+++ {'/dev/null' if after is None else f'b/{path}'}\n",
        *_hunks(_lines(before), _lines(after), most_compared),
    ]
    return FileDiff(
        path=path,
        change="added" if before is None else "removed" if after is None else "changed",
        text="".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines),
    )


def _hunks(before: Sequence[str], after: Sequence[str], most_compared: int) -> Iterable[str]:
    """Return the hunks; where looking for the least change would take long, one hunk replaces all that differs.

    `difflib` compares each line with each. Who proposes may bring a hundred thousand, and others wait meanwhile.
    """
    same = _same(before, after)
    rest = _same(before[same:][::-1], after[same:][::-1])
    removed, added = before[same : len(before) - rest], after[same : len(after) - rest]
    if len(removed) * len(added) <= most_compared:
        yield from itertools.islice(difflib.unified_diff(before, after), 2, None)
        return
    first = max(0, same - _CONTEXT)
    leading, trailing = before[first:same], before[len(before) - rest :][:_CONTEXT]
    around = len(leading) + len(trailing)
    yield f"@@ -{_range(first, len(removed) + around)} +{_range(first, len(added) + around)} @@\n"
    yield from (f" {line}" for line in leading)
    yield from (f"-{line}" for line in removed)
    yield from (f"+{line}" for line in added)
    yield from (f" {line}" for line in trailing)


def _range(first: int, count: int) -> str:
    """Return where lines are; a range of none names the line before it."""
    return f"{first + 1 if count else first},{count}"


def _same(before: Sequence[str], after: Sequence[str]) -> int:
    """Return how many lines both begin with."""
    for number, (one, other) in enumerate(zip(before, after, strict=False)):
        if one != other:
            return number
    return min(len(before), len(after))


def _lines(text: str | None) -> list[str]:
    # Not `splitlines`, which also ends a line at form feeds and at Unicode's separators, as no diff does.
    parts = (text or "").split("\n")
    ended, last = [f"{part}\n" for part in parts[:-1]], parts[-1]
    return [*ended, last] if last else ended
