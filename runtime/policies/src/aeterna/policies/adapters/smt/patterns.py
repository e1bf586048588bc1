"""Patterns of ``like`` as automata: whether a text matches, and texts that match some patterns and not others.

z3 is told of a pattern no more than that it is a property of strings, so it may ask for the impossible. Then the texts
that can be are counted here: none, a few that are listed, or without end.
"""

from __future__ import annotations

from collections import Counter, deque
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, Final

from aeterna.policies.errors import UndecidedError

if TYPE_CHECKING:
    from collections.abc import Mapping

Pattern = tuple[str | None, ...]
_State = tuple[frozenset[int], ...]
_MAX_STATES: Final = 5000


def matches(pattern: Pattern, text: str) -> bool:
    """Return whether the text matches."""
    places = symbols_of(pattern)
    state = _closed(places, {0})
    for char in text:
        state = _step(places, state, char)
    return len(places) in state


def texts(wanted: Mapping[Pattern, bool], *, most: int) -> list[str]:
    """Return so many texts that match exactly the patterns that are wanted so, shortest first; fewer if that is all.

    Raise `UndecidedError` if the patterns are too many to follow. One character that no pattern names stands for all
    such: if a text has one, it can be repeated without any pattern noticing, so that nothing finite is missed.
    """
    patterns = tuple(symbols_of(pattern) for pattern in wanted)
    accept = tuple(wanted.values())
    named = sorted({char for places in patterns for char in places if char is not None})
    alphabet = [next(char for char in map(chr, count(ord("a"))) if char not in named), *named]
    start = tuple(_closed(places, {0}) for places in patterns)
    edges = _explored(patterns, start, alphabet)
    useful = _useful(patterns, accept, edges)
    found: list[str] = []
    # Of the shortest texts, no more than ``most`` begin with different ways to one state.
    ways: Counter[_State] = Counter()
    queue = deque([("", start)] if start in useful else [])
    while queue and len(found) < most:
        text, state = queue.popleft()
        ways[state] += 1
        if ways[state] > most:
            continue
        if _accepted(patterns, accept, state):
            found.append(text)
        queue.extend((text + char, after) for char, after in edges[state].items() if after in useful)
    return found


@lru_cache(1024)
def symbols_of(pattern: Pattern) -> tuple[str | None, ...]:
    """Return the pattern character by character."""
    return tuple(char for part in pattern for char in ([None] if part is None else part))


def _explored(
    patterns: tuple[tuple[str | None, ...], ...], start: _State, alphabet: list[str]
) -> dict[_State, dict[str, _State]]:
    edges: dict[_State, dict[str, _State]] = {}
    open_ = [start]
    while open_:
        state = open_.pop()
        if state in edges:
            continue
        if len(edges) >= _MAX_STATES:
            raise UndecidedError("too many patterns of like have to be kept apart")
        edges[state] = {
            char: tuple(_step(places, inner, char) for places, inner in zip(patterns, state, strict=True))
            for char in alphabet
        }
        open_.extend(edges[state].values())
    return edges


def _useful(
    patterns: tuple[tuple[str | None, ...], ...], accept: tuple[bool, ...], edges: dict[_State, dict[str, _State]]
) -> set[_State]:
    """Return the states from which a text can still be completed."""
    before: dict[_State, list[_State]] = {}
    for state, steps in edges.items():
        for after in steps.values():
            before.setdefault(after, []).append(state)
    useful: set[_State] = set()
    open_ = [state for state in edges if _accepted(patterns, accept, state)]
    while open_:
        state = open_.pop()
        if state not in useful:
            useful.add(state)
            open_.extend(before.get(state, ()))
    return useful


def _accepted(patterns: tuple[tuple[str | None, ...], ...], accept: tuple[bool, ...], state: _State) -> bool:
    found = (len(places) in inner for places, inner in zip(patterns, state, strict=True))
    return all(matched is wanted for matched, wanted in zip(found, accept, strict=True))


def _closed(places: tuple[str | None, ...], state: set[int]) -> frozenset[int]:
    """Return the state with every place that is reached by letting a ``*`` stand for nothing."""
    closed = set(state)
    for place in range(len(places)):
        if place in closed and places[place] is None:
            closed.add(place + 1)
    return frozenset(closed)


def _step(places: tuple[str | None, ...], state: frozenset[int], char: str) -> frozenset[int]:
    stepped = {
        place if places[place] is None else place + 1
        for place in state
        if place < len(places) and places[place] in {None, char}
    }
    return _closed(places, stepped)
