"""The command line puts documents into served knowledge, asks them, and opens what an answer cites."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from fixtures.served_graph import served_graph

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TIDES = "# Tides\n\nNeap tides follow the quarter moon.\n"


class Command:
    """The command `aeterna knowledge`, as a process that knows where knowledge is served."""

    def __init__(self, url: str) -> None:
        told = {"AETERNA_GRAPH_URL": url, "AETERNA_THREADS_URL": url, "AETERNA_TOKEN": "acme"}
        self._environment = {**os.environ, **told}

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one command line."""
        return subprocess.run(
            [sys.executable, "-P", "-m", "aeterna.cli", "knowledge", *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def answer(self, *arguments: str) -> dict[str, Any]:
        """Run one command line and return the JSON that it prints."""
        document: dict[str, Any] = json.loads(self(*arguments, "--json").stdout)
        return document


@pytest.fixture
def command(tmp_path: Path, knowledge_database: str) -> Iterator[Command]:
    """Serve knowledge that holds nothing yet."""
    with served_graph(tmp_path, knowledge_dsn=knowledge_database) as url:
        yield Command(url)


@pytest.fixture
def sea(tmp_path: Path) -> Path:
    """Return a folder with two documents, one file that is none, and what a folder hides."""
    folder = tmp_path / "sea"
    (folder / "deep").mkdir(parents=True)
    (folder / ".git").mkdir()
    (folder / "tides.md").write_text(TIDES)
    (folder / "deep/trench.txt").write_text("The trench is eleven kilometres deep.")
    (folder / "photo.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    (folder / ".git/config").write_text("hidden")
    return folder


def test_a_folder_is_put_asked_opened_and_deleted(command: Command, sea: Path) -> None:
    put = command("put", str(sea))
    again = command.answer("put", str(sea))
    asked = command.answer("ask", "What follows the quarter moon?")
    best = asked["evidence"][0]
    opened = command.answer("show", best["document"], "--at", f"{best['start']}:{best['end']}", "--context", "0")
    listed = command("list", "--prefix", "sea/")
    removed = command("rm", "sea/tides.md")
    nothing = command("ask", "quarter moon")

    assert (put.returncode, put.stdout) == (1, "2 put, 0 as before, 1 refused\n")
    assert "refused: sea/photo.png: " in put.stderr
    assert (again["changed"], again["unchanged"]) == ([], ["sea/deep/trench.txt", "sea/tides.md"])
    assert best["document"] == "sea/tides.md"
    assert opened["opened"]["text"] == best["text"] == TIDES[best["start"] : best["end"]]
    assert listed.stdout == "sea/deep/trench.txt\nsea/tides.md\n"
    assert (removed.returncode, removed.stdout) == (0, "sea/tides.md: deleted\n")
    assert (nothing.returncode, nothing.stdout) == (1, "")


def test_people_read_the_passage_below_the_place_to_open(command: Command, sea: Path) -> None:
    command("put", str(sea / "tides.md"), "--prefix", "wet/")

    asked = command("ask", "quarter moon")
    place = asked.stdout.splitlines()[0].split("  ")[0]
    shown = command("show", *place.split(" "))
    told = command("show", "wet/tides.md")

    assert asked.stdout.startswith("wet/tides.md --at ")
    assert "  Neap tides follow the quarter moon.\n" in asked.stdout
    assert "Neap tides follow the quarter moon." in shown.stdout
    assert told.stdout.startswith(f"Tides  (text/markdown, {len(TIDES)} characters)\nput by ada at ")


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["show", "nowhere"], 1, "error: no document 'nowhere'"),
        (["show", "a", "--at", "1-2"], 2, "is not START:END"),
        (["put", "/nowhere"], 2, "does not exist"),
        (["ask", "?!"], 1, "holds no word"),
        (["ask", "moon", "--as-of", "one fine day"], 2, "is not a time"),
        (["rm", "nowhere"], 1, ""),
    ],
)
def test_a_refusal_says_why(command: Command, arguments: list[str], status: int, said: str) -> None:
    done = command(*arguments)

    assert done.returncode == status
    assert said in done.stderr


def test_where_knowledge_is_off_the_command_says_what_to_set(tmp_path: Path) -> None:
    with served_graph(tmp_path) as url:
        done = Command(url)("list")

    assert done.returncode == 1
    assert "AETERNA_API_KNOWLEDGE_DSN" in done.stderr
