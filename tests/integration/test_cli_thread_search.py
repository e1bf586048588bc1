"""Somebody finds what was said a moment after it was said: the command, the client and the service, from end to end."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from aeterna.cli.main import run
from aeterna.client import Aeterna, AsyncAeterna, PolicyDeniedError, SearchInvalidError

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeterna.service.testing import SigningKey
    from fixtures.fix_threads import ServiceProcess

pytestmark = pytest.mark.anyio


@pytest.fixture
def url(start_threads: Callable[..., ServiceProcess], signing_key: SigningKey, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return where a store is in which two conversations can be searched."""
    process = start_threads()
    monkeypatch.setenv("AETERNA_THREADS_URL", process.url)
    monkeypatch.setenv("AETERNA_GRAPH_URL", process.url)
    monkeypatch.setenv("AETERNA_TOKEN", signing_key.token("acme", subject="ada"))
    with Aeterna(graph_url=process.url, threads_url=process.url, token=signing_key.token("acme")) as aeterna:
        aeterna.threads.open("t-1", title="Incident").append("user", ["the ledger is down"])
        aeterna.threads.open("t-2").append("user", ["the ledger is up"])
        deadline = time.monotonic() + 30
        while len(list(aeterna.threads.search("ledger"))) < 2:
            assert time.monotonic() < deadline, "never searchable"
    return process.url


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run one command line and return what it printed."""
    capsys.readouterr()
    ended = run(["threads", *arguments])
    shown = capsys.readouterr()
    assert ended == 0, shown.err
    return shown.out


async def test_what_was_said_is_found(url: str, signing_key: SigningKey, capsys: pytest.CaptureFixture[str]) -> None:
    listed = json.loads(told(capsys, "search", "ledger -up", "--since", "1 hour ago", "--json"))["hits"]
    shown = told(capsys, "search", "ledger", "--thread", "t-2")
    titled = json.loads(told(capsys, "list", "--title", "incident", "--since", "2020-01-01", "--json"))["threads"]
    later = json.loads(told(capsys, "list", "--since", "9000-01-01", "--json"))["threads"]
    token = signing_key.token("acme")
    async with AsyncAeterna(graph_url=url, threads_url=url, token=token) as aeterna:
        paged = [hit.thread_id async for hit in aeterna.threads.search("ledger", page=1)]
        page = await aeterna.threads.search_page("ledger", limit=1)

    assert [(hit["thread_id"], hit["seq"], hit["snippet"]) for hit in listed] == [("t-1", 1, "the ledger is down")]
    assert "the ledger is up" in shown
    assert "t-1" not in shown
    assert ([one["thread_id"] for one in titled], later) == (["t-1"], [])
    assert paged == ["t-2", "t-1"]
    assert page.searchable_until is not None
    assert page.searchable_until >= page.hits[0].created_at


def test_it_is_refused_to_whom_it_is_not_for_and_for_what_cannot_be(url: str, signing_key: SigningKey) -> None:
    with Aeterna(graph_url=url, threads_url=url, token=signing_key.token("acme")) as aeterna:
        with pytest.raises(SearchInvalidError):
            aeterna.threads.search_page("-ledger")
        with pytest.raises(SearchInvalidError):
            aeterna.threads.search_page("word " * 33)
    nobody = signing_key.token("acme", roles=["nobody"])
    with Aeterna(graph_url=url, threads_url=url, token=nobody) as aeterna, pytest.raises(PolicyDeniedError):
        aeterna.threads.search_page("ledger")
    with Aeterna(graph_url=url, threads_url=url, token=signing_key.token("other")) as other:
        assert list(other.threads.search("ledger")) == []
        assert list(other.threads.list(title="Incident")) == []
