"""An OpenAI-compatible endpoint over real HTTP: keys, addresses, authorities, and vectors that are none."""

from __future__ import annotations

import asyncio
import json
import ssl
from typing import TYPE_CHECKING

import numpy as np
import pytest

from aeterna.contracts.trust import FileTrust
from aeterna.knowledge.adapters.openai_calls import CallLimits, EndpointCalls
from aeterna.knowledge.adapters.openai_compatible import OpenAIChat, OpenAIEmbeddings
from aeterna.knowledge.domain.models import AnswerForm, Message, Role
from aeterna.knowledge.errors import ModelAnswerError, ModelRejectedError, ModelUnavailableError
from fixtures.model_server import ModelServer, Reply, embedding
from fixtures.serving_pair import TestAuthority

if TYPE_CHECKING:
    from pathlib import Path


def test_the_key_is_read_for_each_call_and_is_in_no_error(model_server: ModelServer, tmp_path: Path) -> None:
    async def run() -> None:
        key = tmp_path / "key"
        key.write_text("sk-first\n")
        calls = EndpointCalls(model_server.url, key=key, limits=CallLimits(tries=1))
        model = OpenAIChat(calls, "small")
        messages, form = (Message(role=Role.USER, content="hello"),), AnswerForm(name="any", schema={})
        await model.answer(messages, form, max_tokens=10)
        key.write_text("sk-second\n")
        await model.answer(messages, form, max_tokens=10)
        model_server.script = [Reply(status=403)]
        with pytest.raises(ModelRejectedError) as refused:
            await model.answer(messages, form, max_tokens=10)
        key.unlink()
        with pytest.raises(ModelRejectedError) as unreadable:
            await model.answer(messages, form, max_tokens=10)
        await calls.aclose()

        assert [one.headers["Authorization"] for one in model_server.asked[:2]] == [
            "Bearer sk-first",
            "Bearer sk-second",
        ]
        assert "sk-" not in f"{refused.value!r} {refused.value.__cause__!r} {unreadable.value!r}"

    asyncio.run(run())


@pytest.mark.parametrize(
    "address",
    [
        "http://models.example/v1",
        "https://user:secret@models.example",
        "ftp://models.example",
        "https://",
        "https://m/v1?key=1",
    ],
)
def test_no_key_and_no_document_goes_to_an_address_that_others_can_read(address: str) -> None:
    with pytest.raises(ModelRejectedError):
        EndpointCalls(address)


def test_embeddings_come_in_batches_in_the_order_of_the_texts(model_server: ModelServer) -> None:
    async def run() -> None:
        calls = EndpointCalls(model_server.url)
        texts = [f"text {number}" for number in range(300)]

        vectors = await OpenAIEmbeddings(calls, "vectors").embed(texts)
        await calls.aclose()

        assert [len(one.body["input"]) for one in model_server.asked] == [128, 128, 44]
        expected = np.asarray([embedding(text, 16) for text in texts])
        expected /= np.linalg.norm(expected, axis=1, keepdims=True)
        assert np.allclose(vectors, expected, atol=1e-6)

    asyncio.run(run())


@pytest.mark.parametrize(
    "data",
    [
        pytest.param([], id="none"),
        pytest.param([{"index": 0, "embedding": [1.0]}], id="too few"),
        pytest.param([{"index": 0, "embedding": [1.0]}, {"index": 0, "embedding": [1.0]}], id="one twice"),
        pytest.param([{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [1.0, 2.0]}], id="of two lengths"),
        pytest.param([{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [0.0]}], id="nowhere"),
        pytest.param([{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": ["a"]}], id="no number"),
        pytest.param([{"index": 0, "embedding": [1.0]}, {"index": 5, "embedding": [1.0]}], id="of no text"),
    ],
)
def test_what_is_no_vector_for_each_text_is_refused(model_server: ModelServer, data: list[object]) -> None:
    async def run() -> None:
        calls = EndpointCalls(model_server.url)
        model_server.script = [Reply(body=json.dumps({"data": data}).encode())]
        with pytest.raises(ModelAnswerError):
            await OpenAIEmbeddings(calls, "vectors").embed(["one", "two"])
        await calls.aclose()

    asyncio.run(run())


@pytest.mark.parametrize("believed", [True, False])
def test_an_endpoint_is_believed_by_the_authorities_that_it_is_given(tmp_path: Path, believed: bool) -> None:
    theirs, others = TestAuthority("theirs"), TestAuthority("others")
    (tmp_path / "ca.pem").write_bytes((theirs if believed else others).pem())
    (tmp_path / "pair.pem").write_bytes(b"".join(theirs.pair()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "pair.pem")
    with ModelServer(tls=context) as server:

        async def run() -> None:
            trust = FileTrust(tmp_path / "ca.pem")
            calls = EndpointCalls(server.url, trust=trust, limits=CallLimits(tries=1))
            try:
                await OpenAIEmbeddings(calls, "vectors").embed(["one"])
            finally:
                await calls.aclose()

        if believed:
            asyncio.run(run())
        else:
            with pytest.raises(ModelUnavailableError) as refused:
                asyncio.run(run())
            assert refused.value.lost == 0
            assert server.asked == []
