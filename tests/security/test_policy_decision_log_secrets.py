"""What callers say of somebody stays out of the decision log, whatever is wrong with it and wherever it is put."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

from aeterna.policy.main import build
from aeterna.policy.settings import PolicySettings
from fixtures.fix_policy import document

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from aeterna.policy.api.app import PolicyApp
    from aeterna.service.asgi import Message

pytestmark = pytest.mark.anyio

CANARY = "canary-5d2c"
READER = {"tenant": "acme", "roles": ["reader"]}
CEDAR = {
    "principal": 'Aeterna::User::"ada"',
    "action": 'Aeterna::Action::"graph.read"',
    "resource": 'Aeterna::Graph::"main"',
}

ASKED: list[tuple[str, dict[str, object]]] = [
    ("/access/v1/evaluation", document(context={"token": CANARY})),
    ("/access/v1/evaluation", document(context={"deep": {"er": [CANARY]}})),
    ("/access/v1/evaluation", document(subject={"type": "User", "id": "ada", "properties": {**READER, "x": CANARY}})),
    ("/access/v1/evaluation", document(subject={"type": "User", "id": "ada", "properties": {"tenant": [CANARY]}})),
    (
        "/access/v1/evaluation",
        document(subject={"type": "User", "id": "ada", "properties": {**READER, "roles": CANARY}}),
    ),
    (
        "/access/v1/evaluation",
        document(subject={"type": "User", "id": "ada", "properties": {**READER, "roles": [CANARY]}}),
    ),
    (
        "/access/v1/evaluation",
        document(resource={"type": "Graph", "id": "main", "properties": {"tenant": {"x": CANARY}}}),
    ),
    ("/access/v1/evaluation", document(action={"name": "graph.read", "properties": {"x": CANARY}})),
    ("/access/v1/evaluations", document(evaluations=[{"context": {"token": CANARY}}])),
    ("/v1/is_authorized", {**CEDAR, "context": {"token": CANARY}}),
]


@pytest.mark.parametrize("index", range(len(ASKED)))
async def test_no_value_of_context_or_properties_is_written_down(index: int, tmp_path: Path) -> None:
    path, body = ASKED[index]

    written = await log_of(tmp_path, path, body)

    assert '"kind":"decision"' in written
    assert CANARY not in written


async def test_values_are_there_when_they_were_asked_for(tmp_path: Path) -> None:
    path, body = ASKED[0]

    assert CANARY in await log_of(tmp_path, path, body, audit_values=True)


async def test_a_line_break_in_an_id_does_not_begin_another_record(tmp_path: Path) -> None:
    subject = {"type": "User", "id": 'ada\n{"hash":"0","record":{"kind":"decision"}}', "properties": READER}

    written = await log_of(tmp_path, "/access/v1/evaluation", document(subject=subject))

    assert len(written.splitlines()) == 2


async def log_of(folder: Path, path: str, body: dict[str, object], *, audit_values: bool = False) -> str:
    """Return what is in the log after one request."""
    settings = PolicySettings(state=folder / "state", audit_log=folder / "log", audit_values=audit_values)
    app = build(settings)
    async with living(app), httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://policy") as client:
        await client.post(path, json=body)
    return "".join(segment.read_text("utf-8") for segment in (folder / "log").glob("chain-*/*.jsonl"))


@asynccontextmanager
async def living(app: PolicyApp) -> AsyncGenerator[None]:
    """Start the application and stop it as a server does: what is left is written at the end."""
    orders: asyncio.Queue[Message] = asyncio.Queue()
    reports: asyncio.Queue[Message] = asyncio.Queue()
    task = asyncio.create_task(app({"type": "lifespan"}, orders.get, reports.put))
    for phase in ("startup", "shutdown"):
        await orders.put({"type": f"lifespan.{phase}"})
        assert (await reports.get())["type"] == f"lifespan.{phase}.complete"
        if phase == "startup":
            yield
    await task
