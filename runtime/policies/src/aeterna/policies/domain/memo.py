"""What earlier analyses learned, so that after a change only the questions about it are asked again.

Two kinds of knowledge, both bound to a schema. That some request does not exist is remembered by the texts of the
policies it was asked of. Requests that do exist are remembered as they are: after a change Cedar is asked anew what
each of them shows, so no outdated example is ever told.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aeterna.cedar.domain.request import Request
    from aeterna.policies.domain.typed.formula import Environment
    from aeterna.policies.domain.typed.policy import Policy

    Fact = str

MAX_FACTS: Final = 500_000
MAX_REQUESTS: Final = 500


class Memo:
    """Facts and requests of one schema; the oldest are forgotten when there are too many."""

    def __init__(self, *, facts: Iterable[Fact] = (), requests: Iterable[Request] = ()) -> None:
        self._facts: OrderedDict[Fact, None] = OrderedDict.fromkeys(facts)
        self._requests = list(requests)

    def fact(self, environment: Environment, ask: str, one: Policy, other: Policy) -> Fact:
        """Return the name of the fact that no request of this shape answers this question of these policies."""
        parts = (environment.principal_type, *environment.action, environment.resource_type, ask)
        return _digest(repr((*parts, _digest(one.text), _digest(other.text))))

    def __contains__(self, fact: Fact) -> bool:
        """Tell whether the fact is known."""
        return fact in self._facts

    def add(self, facts: Iterable[Fact]) -> None:
        """Remember facts."""
        self._facts.update(dict.fromkeys(facts))
        while len(self._facts) > MAX_FACTS:
            self._facts.popitem(last=False)

    def remember(self, request: Request) -> None:
        """Remember a request."""
        self._requests.append(request)
        del self._requests[:-MAX_REQUESTS]

    def requests(self) -> tuple[Request, ...]:
        """Return the requests, oldest first."""
        return tuple(self._requests)

    def facts(self) -> tuple[Fact, ...]:
        """Return the facts, oldest first."""
        return tuple(self._facts)


class Memos:
    """A memo for each of the schemas used last."""

    def __init__(self, *, known: Mapping[str, Memo] | None = None, schemas: int = 4) -> None:
        self._schemas = schemas
        self._of: OrderedDict[str, Memo] = OrderedDict(known or {})

    def of(self, schema: str) -> Memo:
        """Return the memo of a schema's text."""
        name = _digest(schema)
        memo = self._of.setdefault(name, Memo())
        self._of.move_to_end(name)
        while len(self._of) > self._schemas:
            self._of.popitem(last=False)
        return memo

    def items(self) -> tuple[tuple[str, Memo], ...]:
        """Return the memos by the names of their schemas, that used last last."""
        return tuple(self._of.items())


@lru_cache(maxsize=16_384)
def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
