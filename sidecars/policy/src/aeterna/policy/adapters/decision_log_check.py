"""Checking a decision log: whether every chain in its folder is what was written, and if not, where it first is not."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aeterna.policy.adapters.decision_log_chain import CHAIN, line_of, number_of, segments_of
from aeterna.service.hash_chain import GENESIS, canonical, link_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from aeterna.service.json_value import JsonValue

_SEGMENT: Final = "segment"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainReport:
    """What a chain was found to be: how many records hold, up to which hash, and where it breaks, if it does.

    ``broken`` names file and line. ``unfinished`` is how many bytes of a record the last segment ends in, as it does
    while it is written and after a crash. A log that lost its newest records still holds: compare ``head`` with one
    that was noted elsewhere.
    """

    chain: str
    records: int
    head: str
    broken: str | None = None
    unfinished: int = 0


def check_log(folder: Path) -> list[ChainReport]:
    """Return a report for each chain of the folder; raise OSError where it cannot be read."""
    return [_check_chain(path) for path in sorted(folder.iterdir()) if CHAIN.fullmatch(path.name)]


class _BrokenError(Exception):
    """A place where a chain is not what was written; never leaves the module."""


class _Walk:
    """The state of a check as it goes from record to record."""

    def __init__(self) -> None:
        self.head: str | None = None
        self.records = 0
        self.torn = 0
        self.missing: set[int] = set()


def _check_chain(folder: Path) -> ChainReport:
    segments, walk, broken = segments_of(folder), _Walk(), None
    try:
        walk.missing = _absent([number_of(path) for path in segments])
        for path in segments:
            _check_segment(path, walk)
    except _BrokenError as exc:
        broken = str(exc)
    if broken is None and walk.missing:
        broken = f"{folder.name}: segments {sorted(walk.missing)} are missing, and no record says why"
    head = walk.head or GENESIS
    return ChainReport(chain=folder.name, records=walk.records, head=head, broken=broken, unfinished=walk.torn)


def _absent(numbers: Sequence[int]) -> set[int]:
    """Return the numbers of segments that once were there: they count from 1."""
    return set(range(1, numbers[-1])) - set(numbers) if numbers else set()


def _check_segment(path: Path, walk: _Walk) -> None:
    *lines, fragment = path.read_bytes().split(b"\n")
    place = f"{path.parent.name}/{path.name}"
    if not lines:
        # It ends in the middle of its own first record; the next one follows what this one would have.
        walk.torn = len(fragment)
        return
    for number, line in enumerate(lines, 1):
        record, text, stated = _read(line, f"{place}:{number}")
        if number == 1:
            _check_header(record, path, walk, place)
        head = link_text(walk.head or GENESIS, text)
        if head != stated:
            raise _BrokenError(f"{place}:{number}: the record does not follow the one before it, or was changed")
        walk.head = head
        walk.records += 1
    walk.torn = len(fragment)


def _read(line: bytes, place: str) -> tuple[Mapping[str, JsonValue], bytes, str]:
    """Return a line's record, its canonical text and the hash that it states."""
    try:
        document = json.loads(line)
        record: Mapping[str, JsonValue] = document["record"]
        stated = str(document["hash"])
        text = canonical(record)
        written = line_of(stated, text)
    except (ValueError, TypeError, LookupError, RecursionError):
        raise _BrokenError(f"{place}: this is no record") from None
    # Byte for byte: a text with a name twice parses to the same, and shows a reader something else.
    if written != line + b"\n":
        raise _BrokenError(f"{place}: the record is not as it was written")
    return record, text, stated


def _check_header(record: Mapping[str, JsonValue], path: Path, walk: _Walk, place: str) -> None:
    if record.get("kind") != _SEGMENT or record.get("number") != number_of(path):
        raise _BrokenError(f"{place}:1: the segment does not begin with its own header")
    follows = record.get("follows")
    if walk.head is None and isinstance(follows, str):
        # The first that is still there: what it follows was removed, which a later header must say.
        walk.head = follows if number_of(path) > 1 else GENESIS
    if follows != walk.head:
        raise _BrokenError(f"{place}:1: the segment does not follow the end of the one before it")
    if number_of(path) - 1 not in walk.missing and record.get("torn") != walk.torn:
        raise _BrokenError(f"{place}:1: the segment before does not end where it ended")
    kept_from = record.get("kept_from")
    if isinstance(kept_from, int):
        walk.missing = {number for number in walk.missing if number >= kept_from}
