"""The engine without HTTP, beside one Cedar handle over the whole set: what the index and the slices are worth."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import cedarpy

from aeterna.cedar.adapters.cedar import CedarCompiler
from aeterna.cedar.domain.bundle import Bundle
from aeterna.cedar.domain.request import Request, Uid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from policy_corpus import Corpus

REPEATS = 3


class OneHandle:
    """Plain Cedar, parsed once: one policy set, one entity store, one schema."""

    def __init__(self, corpus: Corpus) -> None:
        files = corpus.files()
        self._schema = cedarpy.Schema.from_str(files["corpus.cedarschema"])
        self._policies = cedarpy.PolicySet.from_str(files["corpus.cedar"])
        self._entities = cedarpy.Entities.from_json_str(files["entities.json"], self._schema)

    def allows(self, request: Request) -> bool:
        """Return Cedar's decision."""
        asked = {
            "principal": request.principal._asdict(),
            "action": request.action._asdict(),
            "resource": request.resource._asdict(),
            "context": {},
        }
        return cedarpy.is_authorized(asked, self._policies, self._entities, self._schema).allowed


def requests(questions: Sequence[Mapping[str, object]]) -> list[Request]:
    """Return the questions in Cedar's words."""

    def word(question: Mapping[str, object], part: str, name: str) -> str:
        facts = question[part]
        assert isinstance(facts, dict)
        return str(facts[name])  # pyright: ignore[reportUnknownArgumentType] - a question's parts are of strings

    return [
        Request(
            principal=Uid(f"Aeterna::{word(asked, 'subject', 'type')}", word(asked, "subject", "id")),
            action=Uid("Aeterna::Action", word(asked, "action", "name")),
            resource=Uid(f"Aeterna::{word(asked, 'resource', 'type')}", word(asked, "resource", "id")),
        )
        for asked in questions
    ]


def plain_decisions(corpus: Corpus, questions: Sequence[Mapping[str, object]]) -> list[bool]:
    """Return what Cedar itself says."""
    cedar = OneHandle(corpus)
    return [cedar.allows(request) for request in requests(questions)]


def one_handle_us(corpus: Corpus, count: int) -> float:
    """Return the CPU time of a decision by one handle, in microseconds: the fastest of some rounds."""
    cedar, asked = OneHandle(corpus), requests(corpus.questions(count))

    def round_() -> None:
        for request in asked:
            cedar.allows(request)

    return _fastest(round_, len(asked), repeats=REPEATS)


def our_engine_us(corpus: Corpus, count: int) -> float:
    """Return the CPU time of a decision by the engine, without any cache of decisions, in microseconds.

    The engine remembers parsed slices of entities, so ask about many more pairs than it has room for.
    """
    engine, asked = CedarCompiler().compile(Bundle.of(corpus.files())), requests(corpus.questions(count))

    def round_() -> None:
        for request in asked:
            engine.evaluate(request)

    return _fastest(round_, len(asked), repeats=REPEATS)


def _fastest(round_: Callable[[], None], count: int, *, repeats: int) -> float:
    taken: list[float] = []
    for _ in range(repeats):
        begun = time.process_time()
        round_()
        taken.append(time.process_time() - begun)
    return min(taken) / count * 1e6
