"""The client's knowledge: what is asked of the API, and how its answers are read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx
import pytest

from aeterna.client import Aeterna, DocumentNotFoundError, DocumentRefusedError
from aeterna.client.testing import problem

if TYPE_CHECKING:
    from aeterna.client.testing import FakeRuntime

WRITTEN = {"document": "a", "changed": True, "visible": True, "seq": 7}
ANSWER: dict[str, object] = {
    "evidence": [],
    "trace": {"found": {}, "named": ["term:moon"], "hubs": [], "tokens": 0, "cut_short": False},
}


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ("sea/tides.md", "/api/v1/knowledge/documents/sea%2Ftides.md"),
        ("..", "/api/v1/knowledge/documents/%2E%2E"),
        ("a?b#c%", "/api/v1/knowledge/documents/a%3Fb%23c%25"),
    ],
)
def test_a_document_is_put_as_it_is_under_any_id(aeterna: Aeterna, fake: FakeRuntime, document: str, path: str) -> None:
    fake.failures.append(httpx.Response(200, json=WRITTEN))

    aeterna.knowledge.put(document, b"\xff\x00", name="a.md", media_type="text/markdown")

    (asked,) = fake.requests
    assert (asked.method, asked.url.raw_path.decode(), asked.content) == ("PUT", f"{path}?name=a.md", b"\xff\x00")
    assert asked.headers["content-type"] == "text/markdown"


def test_a_question_has_seen_what_this_client_wrote(aeterna: Aeterna, fake: FakeRuntime) -> None:
    fake.failures += [httpx.Response(200, json=WRITTEN), httpx.Response(200, json=ANSWER, headers={"Aeterna-Seq": "9"})]
    aeterna.knowledge.delete("a")

    answer = aeterna.knowledge.ask("Which moon?", limit=3)

    asked = fake.requests[-1]
    assert asked.headers["aeterna-seq"] == "7"
    assert json.loads(asked.content) == {"question": "Which moon?", "limit": 3}
    assert (answer.seq, answer.named) == (9, ("term:moon",))


def test_a_question_about_the_past_need_not_have_seen_it(aeterna: Aeterna, fake: FakeRuntime) -> None:
    fake.failures += [httpx.Response(200, json=WRITTEN), httpx.Response(200, json=ANSWER)]
    aeterna.knowledge.put("a", b"text")

    aeterna.knowledge.ask("Which moon?", as_of="seq:3")

    assert "aeterna-seq" not in fake.requests[-1].headers
    assert fake.requests[-1].url.params["as_of"] == "seq:3"


def test_a_put_whose_answer_was_lost_is_sent_again(aeterna: Aeterna, fake: FakeRuntime) -> None:
    fake.failures += [httpx.ReadError("reset"), httpx.Response(200, json=WRITTEN)]

    written = aeterna.knowledge.put("a", b"text")

    assert written.changed
    assert [request.content for request in fake.requests] == [b"text", b"text"]


def test_all_pages_are_listed(aeterna: Aeterna, fake: FakeRuntime) -> None:
    fake.failures += [
        httpx.Response(200, json={"documents": ["a", "b"], "next_cursor": "b"}),
        httpx.Response(200, json={"documents": ["c"], "next_cursor": None}),
    ]

    assert list(aeterna.knowledge.documents(prefix="x")) == ["a", "b", "c"]
    assert dict(fake.requests[-1].url.params) == {"prefix": "x", "cursor": "b"}


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (404, "knowledge.document_not_found", DocumentNotFoundError),
        (422, "knowledge.document_refused", DocumentRefusedError),
    ],
)
def test_a_refusal_is_an_error_of_its_own(
    aeterna: Aeterna, fake: FakeRuntime, status: int, code: str, kind: type[Exception]
) -> None:
    fake.failures.append(problem(status, code, "why"))

    with pytest.raises(kind, match="why"):
        aeterna.knowledge.document("a")
