"""`aeterna mcp` as agents' programs run it: messages over stdin and stdout, and the token where nobody sees it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from aeterna.api.api.tools.graph_tools import graph_tools
from fixtures.served_graph import served_graph
from fixtures.tool_calls import message

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

COMMAND = (sys.executable, "-P", "-m", "aeterna.cli", "mcp")
PATIENCE = 60
HELLO: dict[str, Any] = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "test", "version": "1"},
}
LINK = {"source": "a", "type": "knows", "target": "a", "nodes": [{"id": "a", "kind": "Person"}]}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served_graph(tmp_path_factory.mktemp("graph")) as served:
        yield served


class Conversation:
    """The command as a process, and lines to and from it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """Send a request and return what came back."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(message(method, params)) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def node(self) -> dict[str, Any]:
        """Ask for a node."""
        return self.ask("tools/call", {"name": "graph_node", "arguments": {"node": "a"}})

    def end(self) -> tuple[int, str]:
        """Close its stdin; return its exit status and what it said beside the conversation."""
        rest, said = self.process.communicate(timeout=PATIENCE)
        assert rest == ""
        return self.process.returncode, said


@contextmanager
def conversation(url: str, token_file: Path) -> Generator[Conversation]:
    """Run the command until the block ends."""
    told = {"AETERNA_GRAPH_URL": url, "AETERNA_TOKEN_FILE": str(token_file)}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AETERNA_")} | told
    pipe = subprocess.PIPE
    with subprocess.Popen(COMMAND, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            talk = Conversation(process)
            talk.ask("initialize", HELLO)
            yield talk
        finally:
            process.kill()


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text("acme")
    return file


def test_it_has_the_tools_of_the_deployment_and_its_errors(url: str, token_file: Path) -> None:
    """The protocol's own client speaks to it in tests/e2e."""
    with conversation(url, token_file) as talk:
        listed = talk.ask("tools/list", {})["result"]["tools"]
        missing = talk.ask("tools/call", {"name": "graph_node", "arguments": {"node": "nobody"}})["result"]
        unknown = talk.ask("tools/call", {"name": "graph_violations", "arguments": {}})["error"]

    assert [tool["name"] for tool in listed] == [tool.name for tool in graph_tools(lambda: "id")]
    assert (missing["isError"], missing["_meta"]["aeterna/problem"]["code"]) == (True, "graph.node_not_found")
    assert unknown["code"] == -32602


def test_it_ends_with_its_stdin_and_shows_the_token_to_nobody(url: str, token_file: Path) -> None:
    with conversation(url, token_file) as talk:
        arguments = Path(f"/proc/{talk.process.pid}/cmdline").read_text("utf-8")
        answers = [talk.ask("tools/call", {"name": "graph_link", "arguments": LINK}), talk.node()]
        status, said = talk.end()

    assert [answer["result"]["isError"] for answer in answers] == [False, False]
    assert (status, said) == (0, "")
    assert "acme" not in arguments + str(answers)


def test_a_token_file_is_read_again_and_a_refusal_says_why(url: str, token_file: Path) -> None:
    with conversation(url, token_file) as talk:
        token_file.write_text("stranger")
        refused = talk.node()
        token_file.write_text("acme")
        answered = talk.node()
        token_file.unlink()
        unusable = talk.node()

    assert refused["error"]["data"]["code"] == "token.invalid"
    assert "result" in answered
    assert unusable["error"]["data"]["code"] == "cli.token_unusable"


def test_a_deployment_that_goes_away_ends_no_conversation(tmp_path: Path, token_file: Path) -> None:
    with ExitStack() as stack:
        with served_graph(tmp_path / "one") as url:
            talk = stack.enter_context(conversation(url, token_file))
        gone = talk.node()

    assert gone["error"]["data"]["code"] == "cli.unreachable"
    assert url in gone["error"]["message"]


def test_an_interruption_ends_it_at_once(url: str, token_file: Path) -> None:
    with conversation(url, token_file) as talk:
        talk.process.send_signal(signal.SIGINT)
        status = talk.process.wait(PATIENCE)

    assert status == 130
