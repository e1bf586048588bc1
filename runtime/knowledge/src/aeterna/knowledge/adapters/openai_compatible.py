"""A language model and an embedder behind any endpoint that speaks OpenAI's chat completions and embeddings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import numpy as np

from aeterna.contracts.json_value import is_array, is_object
from aeterna.knowledge.domain.models import Finish, ModelAnswer
from aeterna.knowledge.domain.tokens import tokens_of
from aeterna.knowledge.errors import ModelAnswerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aeterna.knowledge.adapters.openai_calls import EndpointCalls
    from aeterna.knowledge.domain.models import AnswerForm, Message, Vectors

_MOST_TEXTS: Final = 128
_MOST_BATCH_TOKENS: Final = 100_000
_MOST_DIMENSIONS: Final = 16_384
_SHORTEST: Final = 1e-12


class JsonMode(StrEnum):
    """How an endpoint is told that it shall answer in JSON; what it answers is held to the form in any case."""

    SCHEMA = "schema"
    """``response_format`` with the JSON Schema: OpenAI, Azure, vLLM, Ollama, llama.cpp and most others."""
    OBJECT = "object"
    """``response_format`` ``json_object``."""
    NONE = "none"
    """By the prompt alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatOptions:
    """In what endpoints differ. Models that reason take no ``temperature``, and want ``max_completion_tokens``."""

    json_mode: JsonMode = JsonMode.SCHEMA
    temperature: float | None = 0
    limit_field: str = "max_tokens"


class OpenAIChat:
    """A `LanguageModel` at ``<address>/chat/completions``."""

    def __init__(self, calls: EndpointCalls, model: str, *, options: ChatOptions | None = None) -> None:
        self._calls = calls
        self._options = options or ChatOptions()
        self.name: Final = model

    async def answer(self, messages: Sequence[Message], form: AnswerForm, *, max_tokens: int) -> ModelAnswer:
        """See `LanguageModel.answer`."""
        body: dict[str, object] = {
            "model": self.name,
            "messages": [{"role": str(one.role), "content": one.content} for one in messages],
            self._options.limit_field: max_tokens,
        }
        if self._options.temperature is not None:
            body["temperature"] = self._options.temperature
        match self._options.json_mode:
            case JsonMode.SCHEMA:
                schema = {"name": form.name, "schema": form.schema, "strict": True}
                body["response_format"] = {"type": "json_schema", "json_schema": schema}
            case JsonMode.OBJECT:
                body["response_format"] = {"type": "json_object"}
            case JsonMode.NONE:
                pass
        return _answer(await self._calls.post("chat/completions", body), messages)


class OpenAIEmbeddings:
    """An `Embedder` at ``<address>/embeddings``; ``dimensions`` asks for shorter vectors where the model has them."""

    def __init__(self, calls: EndpointCalls, model: str, *, dimensions: int | None = None) -> None:
        self._calls = calls
        self._dimensions = dimensions
        self.name: Final = model

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder.embed`."""
        parts = [await self._embedded(batch) for batch in _batches(texts)]
        if len({part.shape[1] for part in parts}) > 1:
            raise ModelAnswerError("answers vectors of different lengths")
        return np.concatenate(parts) if parts else np.zeros((0, self._dimensions or 0), dtype=np.float32)

    async def _embedded(self, texts: Sequence[str]) -> Vectors:
        # An empty text is refused by many endpoints.
        body: dict[str, object] = {"model": self.name, "input": [text or " " for text in texts]}
        if self._dimensions is not None:
            body["dimensions"] = self._dimensions
        return _vectors(await self._calls.post("embeddings", body), len(texts), self._dimensions)


def _answer(document: dict[str, object], messages: Sequence[Message]) -> ModelAnswer:
    choices = document.get("choices")
    choice = choices[0] if is_array(choices) and choices else None
    message = choice.get("message") if is_object(choice) else None
    if not is_object(choice) or not is_object(message):
        raise ModelAnswerError("answers no chat completion")
    content, refusal = message.get("content"), message.get("refusal")
    text = content if isinstance(content, str) else ""
    if refusal or choice.get("finish_reason") == "content_filter":
        finish = Finish.REFUSED
    else:
        finish = Finish.CUT_OFF if choice.get("finish_reason") == "length" else Finish.WHOLE
    usage = document.get("usage")
    counted = usage.get("total_tokens") if is_object(usage) else None
    if not isinstance(counted, int) or isinstance(counted, bool) or counted < 0:
        # Some endpoints do not count.
        counted = sum(tokens_of(one.content) for one in messages) + tokens_of(text)
    return ModelAnswer(text=text, finish=finish, tokens=counted)


def _vectors(document: dict[str, object], count: int, dimensions: int | None) -> Vectors:
    """Return the vectors in the order of the texts, each of length 1, whatever order they come in."""
    rows = document.get("data")
    if not is_array(rows) or len(rows) != count:
        raise ModelAnswerError("answers another number of vectors than it was given texts")
    found: dict[int, list[float]] = {}
    for row in rows:
        index, vector = (row.get("index"), row.get("embedding")) if is_object(row) else (None, None)
        if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < count or not is_array(vector):
            raise ModelAnswerError("answers something that is no vector")
        numbers = [float(one) for one in vector if isinstance(one, int | float) and not isinstance(one, bool)]
        if len(numbers) != len(vector) or not 0 < len(numbers) <= _MOST_DIMENSIONS:
            raise ModelAnswerError("answers something that is no vector")
        found[index] = numbers
    lengths = {len(vector) for vector in found.values()}
    if len(found) != count or len(lengths) > 1 or (dimensions is not None and lengths - {dimensions}):
        raise ModelAnswerError("answers vectors of other lengths than it was asked for")
    vectors = np.asarray([found[index] for index in range(count)], dtype=np.float64)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not np.isfinite(norms).all() or (norms < _SHORTEST).any():
        raise ModelAnswerError("answers a vector that points nowhere")
    return (vectors / norms).astype(np.float32)


def _batches(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    first, tokens = 0, 0
    for index, text in enumerate(texts):
        cost = tokens_of(text)
        if index > first and (index - first >= _MOST_TEXTS or tokens + cost > _MOST_BATCH_TOKENS):
            yield texts[first:index]
            first, tokens = index, 0
        tokens += cost
    if first < len(texts):
        yield texts[first:]
