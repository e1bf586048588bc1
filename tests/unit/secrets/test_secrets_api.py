"""The API of the Unix socket: what it tells, to whom, and what it does not take."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from aeterna.secrets import errors
from aeterna.secrets.api.app import SecretsApp
from aeterna.secrets.api.metrics import HandedMetrics
from aeterna.secrets.api.problem import STATUSES
from aeterna.secrets.domain.handed import Handed
from aeterna.secrets.domain.secret import Fields, Secret
from aeterna.secrets.testing import FakeTime
from aeterna.secrets.usecases.changes import Changes
from aeterna.secrets.usecases.holdings import Holdings
from aeterna.service.lifecycle import Drain
from aeterna.service.metrics import new_registry
from aeterna.service.problem import without_status

pytestmark = pytest.mark.anyio

CANARY = "canary-3b7e"


class World:
    """The application, with what it reads."""

    def __init__(self, *, peers: frozenset[int] | None = None) -> None:
        self.time = FakeTime()
        self.holdings = Holdings(["database", "api"], now=self.time)
        self.changes = Changes(life="0000000a")
        self.counts = Handed()
        self.drain = Drain()
        self.app = SecretsApp(self.holdings, self.changes, counts=self.counts, drain=self.drain, peers=peers)

    def hold(self, name: str, *, seconds: float | None = None, **fields: Any) -> None:  # noqa: ANN401 - any JSON
        """Hold a secret."""
        ends = None if seconds is None else self.time().after(seconds)
        self.holdings.hold(name, Secret(fields=Fields(fields), version="v1"), ends=ends)

    async def get(self, path: str, *, client: tuple[str, int] | None = None, **options: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own
        """Ask."""
        transport = httpx.ASGITransport(self.app, client=client)  # type: ignore[arg-type] - a Unix socket has none
        async with httpx.AsyncClient(transport=transport, base_url="http://sidecar") as asking:
            return await asking.request(options.pop("method", "GET"), path, **options)


@pytest.fixture
async def world() -> World:
    """Return an application with one secret of two."""
    made = World()
    made.hold("database", seconds=60, username="app", password=CANARY)
    return made


async def test_a_secret_is_its_fields_its_version_and_when_it_ends(world: World) -> None:
    answer = await world.get("/v1/secrets/database")

    assert answer.json() == {
        "name": "database",
        "version": "v1",
        "expires_at": "2023-11-14T22:14:20+00:00",
        "fields": {"username": "app", "password": CANARY},
    }
    assert answer.headers["cache-control"] == "no-store"


async def test_a_secret_without_an_end_has_none(world: World) -> None:
    world.hold("api", key="k")

    assert (await world.get("/v1/secrets/api")).json()["expires_at"] is None


async def test_the_list_names_what_there_is_and_what_is_missing_and_shows_no_value(world: World) -> None:
    answer = await world.get("/v1/secrets")

    assert [entry["name"] for entry in answer.json()["secrets"]] == ["database"]
    assert answer.json()["missing"] == ["api"]
    assert CANARY not in answer.text


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/secrets/other", 404, "secrets.secret_unknown"),
        ("/v1/secrets/api", 503, "secrets.secret_not_ready"),
        ("/v1/secrets/", 404, "secrets.secret_unknown"),
        ("/v1/secrets/a/b", 404, "http.not_found"),
        ("/v1", 404, "http.not_found"),
        ("/metrics", 404, "http.not_found"),
        ("/v1/changes?after=x&wait=61", 400, "http.bad_request"),
        ("/v1/changes?after=x&wait=-1", 400, "http.bad_request"),
        ("/v1/changes?from=x", 400, "http.bad_request"),
    ],
)
async def test_what_is_not_there_is_a_problem_with_a_code(world: World, path: str, status: int, code: str) -> None:
    answer = await world.get(path)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_secret_whose_time_has_come_is_gone_to_the_second(world: World) -> None:
    world.time.pass_(60)

    answer = await world.get("/v1/secrets/database")

    assert (answer.status_code, answer.json()["code"]) == (410, "secrets.secret_withdrawn")
    assert CANARY not in answer.text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
async def test_nothing_can_be_done_but_reading(world: World, method: str) -> None:
    answer = await world.get("/v1/secrets/database", method=method)

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


async def test_a_body_is_refused_unread(world: World) -> None:
    answer = await world.get("/v1/secrets/database", content=b"x" * 100)

    assert (answer.status_code, answer.headers["connection"]) == (413, "close")


@pytest.mark.parametrize("client", [None, ("uid:1000", 7), ("127.0.0.1", 1000), ("uid:10010", 7)])
async def test_users_that_are_not_named_are_told_nothing(client: tuple[str, int] | None) -> None:
    world = World(peers=frozenset({1001}))
    world.hold("database", password=CANARY)
    assert (await world.get("/v1/secrets/database", client=("uid:1001", 7))).status_code == 200

    answers = [await world.get(path, client=client) for path in ("/v1/secrets/database", "/v1/secrets", "/nowhere")]

    refused = {(answer.status_code, answer.json()["code"]) for answer in answers}
    assert refused == {(403, "secrets.peer_refused")}


async def test_over_a_port_nobody_is_told_anything(world: World) -> None:
    """A web page that has its own name resolve to the loopback could read it there."""
    answer = await world.get("/v1/secrets/database", client=("127.0.0.1", 4711))

    assert (answer.status_code, answer.json()["code"]) == (403, "secrets.peer_refused")


async def test_whoever_waits_is_told_at_once_and_where_to_go_on(world: World) -> None:
    cursor = (await world.get("/v1/changes")).json()["cursor"]
    waiting = asyncio.create_task(world.get("/v1/changes", params={"after": cursor, "wait": "60"}))
    await asyncio.sleep(0)

    world.changes.tell({"database"}, "handed_over")

    told = (await waiting).json()
    assert told["changes"] == [{"name": "database", "kind": "handed_over"}]
    assert (await world.get("/v1/changes", params={"after": told["cursor"]})).json()["changes"] == []


async def test_a_change_between_two_questions_is_not_missed(world: World) -> None:
    cursor = (await world.get("/v1/changes")).json()["cursor"]
    world.changes.tell({"database"}, "handed_over")
    world.changes.tell({"api", "database"}, "withdrawn")

    told = (await world.get("/v1/changes", params={"after": cursor, "wait": "60"})).json()

    assert told["changes"] == [{"name": "api", "kind": "withdrawn"}, {"name": "database", "kind": "withdrawn"}]


@pytest.mark.parametrize("cursor", ["", "0000000b-5", "nonsense", "0000000a-99999999999999999999"])
async def test_a_cursor_of_another_life_has_missed_everything(world: World, cursor: str) -> None:
    world.changes.tell({"database"}, "handed_over")

    told = (await world.get("/v1/changes", params={"after": cursor, "wait": "60"})).json()

    assert told["changes"] == [{"name": "database", "kind": "handed_over"}]


async def test_whoever_waits_is_let_go_when_the_sidecar_stops(world: World) -> None:
    cursor = world.changes.cursor
    waiting = asyncio.create_task(world.get("/v1/changes", params={"after": cursor, "wait": "60"}))
    await asyncio.sleep(0)

    world.drain.begin()

    assert (await waiting).json() == {"cursor": cursor, "changes": []}


async def test_a_failure_that_nobody_foresaw_says_nothing(world: World) -> None:
    world.hold("database", password={CANARY})  # a set, of which no document can be made

    with capture_logs() as logs:
        answer = await world.get("/v1/secrets/database")

    assert (answer.status_code, answer.json()["code"]) == (500, "service.unexpected")
    assert CANARY not in answer.text
    assert logs == [{"event": "request.failed", "kind": "TypeError", "log_level": "error"}]


async def test_numbers_of_any_length_are_told_as_their_source_has_them(world: World) -> None:
    world.hold("api", serial=2**70, half="\ud800")

    assert (await world.get("/v1/secrets/api")).json()["fields"] == {"serial": 2**70, "half": "\ud800"}


async def test_what_was_given_out_and_refused_is_counted(world: World) -> None:
    registry = new_registry()
    HandedMetrics(registry, world.counts)

    await world.get("/v1/secrets/database")

    assert registry.get_sample_value("aeterna_secrets_socket_answers_total") == 1
    assert registry.get_sample_value("aeterna_secrets_notices_total", {"outcome": "failed"}) == 0


def test_every_error_of_secrets_has_a_status_of_http() -> None:
    assert errors.SecretsError in STATUSES
    assert without_status("aeterna.secrets", STATUSES) == set()
