"""What a model finds in passages stands only where it can be quoted."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from aeterna.graph.domain.changes import edge_key_of
from aeterna.graph.domain.identifiers import TenantId
from aeterna.knowledge.domain.budgets import TokenLimits
from aeterna.knowledge.domain.contributing import contribution_of
from aeterna.knowledge.domain.documents import DocumentId, Parsed, Span, Unit, UnitId, Upload
from aeterna.knowledge.domain.elements import rows_of
from aeterna.knowledge.domain.model_extraction import Vocabulary, extraction_batches, verified_extraction
from aeterna.knowledge.domain.reports import Instead
from aeterna.knowledge.errors import ModelUnavailableError
from aeterna.knowledge.testing.models import InMemoryAnswers, InMemoryTokens, ScriptedModel
from aeterna.knowledge.usecases.asking import Asking
from aeterna.knowledge.usecases.extracting import ModelExtraction

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aeterna.knowledge.domain.models import Message
    from aeterna.knowledge.errors import ModelError

TEXT = "The ledger uses PostgreSQL\nfor its rows. Mallory likes cheese."
UNIT = Unit(
    id=UnitId("u"), document=DocumentId("a.md"), span=Span(start=100, end=100 + len(TEXT)), heading=(), text=TEXT
)
QUOTE = "The ledger uses PostgreSQL for its rows."
LEDGER = {"name": "ledger", "kind": "component", "source": 1, "quote": QUOTE}
POSTGRES = {"name": "PostgreSQL", "kind": "product", "source": 1, "quote": QUOTE}
USES = {"from": "ledger", "type": "uses", "to": "PostgreSQL", "source": 1, "quote": QUOTE}


def answer(*entities: object, relations: Sequence[object] = ()) -> str:
    return json.dumps({"entities": entities, "relations": relations})


def test_what_can_be_quoted_stands_with_the_place_of_the_quote_in_the_document() -> None:
    found = verified_extraction(answer(LEDGER, POSTGRES, relations=[USES]), [UNIT], Vocabulary()).value

    assert found is not None
    assert [(one.name, one.kind) for one in found.entities] == [("ledger", "component"), ("postgresql", "product")]
    (relation,) = found.relations
    assert (relation.source, relation.type, relation.target) == ("ledger", "uses", "postgresql")
    assert TEXT[relation.span.start - 100 : relation.span.end - 100] == "The ledger uses PostgreSQL\nfor its rows."


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({**LEDGER, "quote": "The ledger is made of cheese."}, id="a quote that nobody wrote"),
        pytest.param({**LEDGER, "quote": ""}, id="an empty quote"),
        pytest.param({**LEDGER, "name": "Mallory"}, id="a name that is not in its quote"),
        pytest.param({**LEDGER, "name": ""}, id="no name"),
        pytest.param({**LEDGER, "name": "x" * 5000}, id="an endless name"),
        pytest.param({**LEDGER, "kind": "villain"}, id="a kind that was not asked for"),
        pytest.param({**LEDGER, "source": 2}, id="a source that there is not"),
        pytest.param({**LEDGER, "source": True}, id="a source of another type"),
        pytest.param({**LEDGER, "source": "1"}, id="a source in words"),
        pytest.param("ledger", id="no object"),
        pytest.param({}, id="an empty object"),
    ],
)
def test_what_cannot_be_quoted_is_dropped_and_the_rest_stays(wrong: object) -> None:
    verified = verified_extraction(answer(POSTGRES, wrong), [UNIT], Vocabulary())

    assert verified.value is not None
    assert [one.name for one in verified.value.entities] == ["postgresql"]
    assert verified.problem
    assert verified_extraction(answer(wrong), [UNIT], Vocabulary()).value is None


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({**USES, "type": "betrays"}, id="a type that was not asked for"),
        pytest.param({**USES, "to": "Mallory"}, id="an end that is not in the quote"),
        pytest.param({**USES, "to": "rows"}, id="an end that is no entity"),
        pytest.param({**USES, "to": "ledger"}, id="a thing with itself"),
        pytest.param(None, id="nothing"),
    ],
)
def test_a_relation_ties_two_entities_of_its_quote(wrong: object) -> None:
    verified = verified_extraction(answer(LEDGER, POSTGRES, relations=[wrong]), [UNIT], Vocabulary())

    assert verified.value is not None
    assert verified.value.relations == ()


@pytest.mark.parametrize("text", ["", "no", "[]", '{"entities": []}', '{"entities": {}, "relations": []}', "[" * 9999])
def test_an_answer_of_another_shape_is_none(text: str) -> None:
    assert verified_extraction(text, [UNIT], Vocabulary()).value is None


def test_passages_that_speak_to_models_are_not_asked_about() -> None:
    hostile = Unit(
        id=UnitId("h"), document=UNIT.document, span=UNIT.span, heading=(), text=TEXT, suspicious=("asks to ignore",)
    )

    assert list(extraction_batches([hostile, UNIT, hostile])) == [(UNIT,)]


def asking(say: Callable[[Sequence[Message]], str | ModelError]) -> Asking:
    tokens = InMemoryTokens(TokenLimits(), lambda: datetime(2026, 11, 23, tzinfo=UTC))
    return Asking(TenantId("acme"), ScriptedModel(say), InMemoryAnswers(), tokens, fence=lambda: "fence")


def test_what_was_found_becomes_part_of_what_the_document_contributes() -> None:
    parsed = Parsed(media_type="text/plain", title="A", text=TEXT)
    upload = Upload(id=DocumentId("a.md"), content=TEXT.encode(), name="a.txt")
    units, contribution = contribution_of(parsed, upload)
    extraction = ModelExtraction(asking(lambda _: answer(LEDGER, POSTGRES, relations=[USES])))

    extended = extraction.extended(contribution, asyncio.run(extraction.extract(units)))

    rows_of(extended)  # closed and whole: what the ledger asks of a contribution
    edges = {edge.key: edge for edge in extended.edges}
    uses = edges[edge_key_of("term:ledger", "uses", "term:postgresql")]
    assert uses.properties == {"places": [[0, 40]], "document": "a.md"}
    mention = edges[edge_key_of(f"unit:{units[0].id}", "mentions", "term:ledger")]
    assert mention.properties["kinds"] == ["component"]
    assert extended.digest == extraction.digest_of(contribution.digest) != contribution.digest


def test_a_document_that_the_model_did_not_answer_for_keeps_its_digest_and_so_is_read_again() -> None:
    parsed = Parsed(media_type="text/plain", title="A", text=TEXT)
    units, contribution = contribution_of(parsed, Upload(id=DocumentId("a.md"), content=TEXT.encode(), name="a.txt"))
    extraction = ModelExtraction(asking(lambda _: ModelUnavailableError("answers 503")))

    read = asyncio.run(extraction.extract(units))

    assert read.lacking is Instead.UNAVAILABLE
    assert extraction.extended(contribution, read) == contribution
