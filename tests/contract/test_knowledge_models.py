"""What every language model and every embedder keeps to, be it over HTTP or in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from aeterna.knowledge.adapters.openai_calls import CallLimits, EndpointCalls
from aeterna.knowledge.adapters.openai_compatible import OpenAIChat, OpenAIEmbeddings
from aeterna.knowledge.domain.models import AnswerForm, Finish, Message, Role
from aeterna.knowledge.errors import ModelUnavailableError
from aeterna.knowledge.testing.models import HashedEmbedder, ScriptedModel
from fixtures.model_server import Reply

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aeterna.knowledge.ports import Embedder, LanguageModel
    from fixtures.model_server import ModelServer

pytestmark = pytest.mark.anyio
ASKED = (Message(role=Role.SYSTEM, content="Answer."), Message(role=Role.USER, content="How are you?"))
FORM = AnswerForm(name="any", schema={"type": "object"})


@pytest.fixture(params=["memory", "http"])
async def calls(request: pytest.FixtureRequest, model_server: ModelServer) -> AsyncIterator[EndpointCalls | None]:
    """Return calls to an endpoint that says nothing but "fine"; None for what is in memory."""
    model_server.otherwise = lambda _: Reply(content="fine", tokens=7)
    made = EndpointCalls(model_server.url, limits=CallLimits(tries=1)) if request.param == "http" else None
    yield made
    if made is not None:
        await made.aclose()


@pytest.fixture
def model(calls: EndpointCalls | None) -> LanguageModel:
    """Return a model that is called small."""
    return OpenAIChat(calls, "small") if calls is not None else ScriptedModel(lambda _: "fine", name="small")


@pytest.fixture
def embedder(calls: EndpointCalls | None) -> Embedder:
    """Return an embedder."""
    return OpenAIEmbeddings(calls, "vectors") if calls is not None else HashedEmbedder(name="vectors")


async def test_an_answer_says_what_was_said_how_it_ended_and_what_it_cost(model: LanguageModel) -> None:
    answer = await model.answer(ASKED, FORM, max_tokens=50)

    assert (answer.text, answer.finish) == ("fine", Finish.WHOLE)
    assert answer.tokens > 0
    assert model.name == "small"


async def test_a_model_that_is_away_says_so(calls: EndpointCalls | None, model_server: ModelServer) -> None:
    model_server.otherwise = lambda _: Reply(status=503)
    error = ModelUnavailableError("is away")
    away: LanguageModel = OpenAIChat(calls, "small") if calls is not None else ScriptedModel(lambda _: error)

    with pytest.raises(ModelUnavailableError):
        await away.answer(ASKED, FORM, max_tokens=50)


@pytest.mark.parametrize("texts", [[], ["one"], ["one", "two", "one", ""], [f"text {number}" for number in range(200)]])
async def test_each_text_has_a_row_of_length_one_and_the_same_text_the_same(
    embedder: Embedder, texts: list[str]
) -> None:
    vectors = await embedder.embed(texts)

    assert vectors.shape[0] == len(texts)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    rows = dict(zip(texts, vectors.tolist(), strict=True))
    assert all(rows[text] == vector for text, vector in zip(texts, vectors.tolist(), strict=True))
