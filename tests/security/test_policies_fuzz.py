"""Whatever the administration's OpenAPI document allows is answered as it says, and never with an error of ours."""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUntypedFunctionDecorator=false
# schemathesis leaves most of what its decorators pass on without a type.

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import CHECKS

from aeterna.policies.testing import FakeSigner, FakeVersions
from fixtures.administration import administration
from fixtures.fix_policies import draft, shipped_files

if TYPE_CHECKING:
    from fastapi import FastAPI

LOOKED_AT = ("not_a_server_error", "response_schema_conformance", "status_code_conformance")
ROOT = "/api/v1/policies"
ADMIN = {"Authorization": "Bearer platform"}


@lru_cache
def app() -> FastAPI:
    """Return the application with one deployed version, the same for every example."""
    versions = FakeVersions()
    anyio.run(lambda: versions.write(draft(files=shipped_files()), deploy=True))
    return administration(versions, FakeSigner())


def exchanged(method: str, url: str, **more: object) -> httpx.Response:
    """Return the application's answer; an error that leaves it is raised here."""

    async def exchange() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app()), base_url="http://policies") as client:
            return await client.request(method, url, **more)  # pyright: ignore[reportArgumentType]

    return anyio.run(exchange)


SCHEMA = schemathesis.openapi.from_dict(app().openapi())


@SCHEMA.parametrize()
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
def test_what_the_document_allows_is_answered_as_it_says(case: schemathesis.Case[Any]) -> None:
    sent = case.as_transport_kwargs(base_url="http://policies")
    sent["headers"] = {**{name: str(value) for name, value in sent["headers"].items()}, **ADMIN}
    sent.pop("cookies", None)
    if "data" in sent:
        sent["content"] = sent.pop("data")  # httpx's name for a body of bytes

    answer = exchanged(**sent)

    case.validate_response(
        schemathesis.Response.from_any(answer),
        checks=[CHECKS.get_one(name) for name in LOOKED_AT],  # pyright: ignore[reportArgumentType] - both can be called
    )


@settings(max_examples=100, deadline=None)
@given(files=st.dictionaries(st.text(max_size=30), st.text(max_size=30), max_size=4))
def test_no_names_and_texts_of_files_make_it_fail_or_pass(files: dict[str, str]) -> None:
    """Random text is no bundle, so nothing of it may become a version."""
    body = {"request_id": "fuzz", "base": 1, "message": "m", "files": files}

    answer = exchanged("POST", f"{ROOT}/versions", json=body, headers=ADMIN)

    assert answer.status_code == 422, answer.text


@pytest.mark.parametrize("path", ["versions", "rollback"])
@settings(max_examples=50, deadline=None)
@given(body=st.binary(max_size=200))
def test_bytes_that_are_no_document_are_refused(path: str, body: bytes) -> None:
    answer = exchanged("POST", f"{ROOT}/{path}", content=body, headers={**ADMIN, "Content-Type": "application/json"})

    assert answer.status_code in {400, 422}
