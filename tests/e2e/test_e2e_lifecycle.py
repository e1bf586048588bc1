"""`aeterna up`, `down` and `status` on real processes: repeated, side by side, after crashes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import tempfile
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from aeterna.cli.local.state_dir import StateDir
from fixtures.fix_live_runtime import AETERNA, LiveRuntime, clean_environment, processes_of

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_up_prints_one_json_object(live: LiveRuntime) -> None:
    assert {"urls", "token", "pids"} <= live.document.keys()
    assert set(live.document["pids"]) == {"postgres", "policy", "graph", "threads", "policies"}


def test_up_twice_is_harmless(live: LiveRuntime) -> None:
    first = live.document
    second = live.up("--no-corpus")

    assert second["started"] == []
    assert (first["pids"], first["urls"], first["token"]) == (second["pids"], second["urls"], second["token"])


def test_addresses_stay_the_same_after_a_restart(own: LiveRuntime) -> None:
    first = own.up("--no-corpus")["urls"]
    own.down()

    assert own.up("--no-corpus")["urls"] == first


def test_two_checkouts_side_by_side_do_not_collide(own: LiveRuntime, live: LiveRuntime, tenant: str) -> None:
    own.up("--no-corpus")
    for runtime, name in ((own, "own"), (live, "live")):
        with runtime.client("writer", tenant=tenant) as client, client.graph.session() as session:
            session.node(name, kind="Checkout")

    with own.client("reader", tenant=tenant) as client:
        assert client.graph.statistics().nodes == 1
    assert not set(own.document["urls"].values()) & set(live.document["urls"].values())


def test_a_token_of_one_checkout_opens_no_other(own: LiveRuntime, live: LiveRuntime) -> None:
    own.up("--no-corpus")
    environment = {
        "AETERNA_GRAPH_URL": live.url("graph"),
        "AETERNA_THREADS_URL": live.url("threads"),
        "AETERNA_TOKEN": own.document["token"],
    }

    refused = own.run("graph", "statistics", environment=environment)

    assert refused.returncode == 4, refused.stderr


def test_other_ports_than_those_in_use_need_a_restart(live: LiveRuntime) -> None:
    """Moving what runs would cut off whoever uses it; ignoring the wish would be a lie."""
    refused = live.run("up", "--detach", "--no-synth", "--no-corpus", "--port", "2000")

    assert refused.returncode == 1
    assert "runs already" in refused.stderr
    assert "aeterna down" in refused.stderr


def test_a_port_in_use_is_named_with_its_holder(own: LiveRuntime) -> None:
    own.down()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        refused = own.run("up", "--detach", "--no-synth", "--no-corpus", "--port", str(port - 1))

    assert refused.returncode == 1
    assert f"error: port {port} of 127.0.0.1 is in use by process {os.getpid()}" in refused.stderr
    assert processes_of(own.root) == []


def test_down_leaves_no_process(own: LiveRuntime) -> None:
    own.up("--no-corpus")
    assert processes_of(own.root)

    own.down()

    assert processes_of(own.root) == []


def test_down_without_a_runtime_is_harmless(own: LiveRuntime) -> None:
    own.down()

    done = own.run("down")

    assert (done.returncode, done.stdout) == (0, "Nothing is running.\n")


def test_status_tells_by_its_exit_status(own: LiveRuntime) -> None:
    own.down()
    before = own.run("status").returncode
    own.up("--no-corpus")
    ready = own.run("status").returncode
    own.kill("threads")
    wounded = own.run("status", "--json")

    assert (before, ready, wounded.returncode) == (3, 0, 1)
    assert json.loads(wounded.stdout)["parts"]["threads"]["health"] == "stopped"


def test_up_repairs_what_has_died_and_leaves_the_rest(own: LiveRuntime) -> None:
    first = own.up("--no-corpus")["pids"]
    own.kill("graph")

    repaired = own.up("--no-corpus")

    assert repaired["started"] == ["graph"]
    assert {part for part in first if first[part] != repaired["pids"][part]} == {"graph"}


def test_everything_killed_comes_back_with_its_data(own: LiveRuntime, tenant: str) -> None:
    """As after a power cut: nothing was stopped in order, and the record names processes that are gone."""
    own.up("--no-corpus")
    with own.client("writer", tenant=tenant) as client:
        client.threads.open("t").append("user", ["kept"])
        with client.graph.session() as session:
            session.node("kept", kind="Thing")
    for part in ("graph", "threads", "policies", "policy", "postgres"):
        own.kill(part)

    own.up("--no-corpus")

    with own.client("reader", tenant=tenant) as client:
        assert [message.text for message in client.threads.get("t").messages()] == ["kept"]
        assert client.graph.node("kept").node.kind == "Thing"


def test_a_recycled_process_id_is_not_taken_for_ours(own: LiveRuntime) -> None:
    """After a reboot the recorded ids belong to others: they are neither trusted nor killed."""
    own.up("--no-corpus")
    own.down()
    state = StateDir(own.root)
    innocent = subprocess.Popen(["sleep", "600"])
    record = json.loads(state.record.read_text())
    record["processes"] = {"graph": {"pid": innocent.pid, "mark": "another-boot:1"}}
    state.record.write_text(json.dumps(record))

    started = own.up("--no-corpus")["started"]
    own.down()

    assert "graph" in started
    assert innocent.poll() is None
    innocent.kill()
    innocent.wait()


def test_a_part_that_cannot_start_is_named_and_nothing_is_left(own: LiveRuntime) -> None:
    own.down()

    refused = own.run("up", "--detach", "--no-synth", "--no-corpus", environment={"AETERNA_THREADS_POOL_MIN": "many"})

    assert refused.returncode == 1
    assert "error: thread store ended while it started" in refused.stderr
    assert "AETERNA_THREADS_POOL_MIN" in refused.stderr
    assert processes_of(own.root) == []


def test_a_state_folder_that_is_a_file_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")

    refused = LiveRuntime(tmp_path / "state").run("up", "--detach")

    assert refused.returncode == 1
    assert f"error: cannot use {tmp_path / 'state'}" in refused.stderr


def test_a_checkout_deep_in_the_tree_works(tmp_path: Path) -> None:
    """The address of a Unix socket holds about a hundred bytes."""
    deep = LiveRuntime(tmp_path / ("deep-" + "d" * 60) / ("er-" + "e" * 60) / "state")

    before = set(Path(tempfile.gettempdir()).glob("aeterna-[0-9]*"))

    deep.up("--no-corpus")
    during = set(Path(tempfile.gettempdir()).glob("aeterna-[0-9]*")) - before
    deep.down()

    assert processes_of(deep.root) == []
    assert [folder for folder in during if folder.exists()] == []


@pytest.fixture
def attached(own: LiveRuntime) -> Iterator[subprocess.Popen[str]]:
    """Return `aeterna up` in the foreground, ready."""
    own.down()
    with subprocess.Popen(
        [*AETERNA, "up", "--no-synth", "--no-corpus"],
        env={**clean_environment(), "AETERNA_STATE_DIR": str(own.root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        said = list(takewhile(lambda line: not line.startswith("Attached"), process.stdout))
        assert process.poll() is None, "".join(said)
        yield process
        process.kill()


def test_ctrl_c_stops_everything(own: LiveRuntime, attached: subprocess.Popen[str]) -> None:
    attached.send_signal(signal.SIGINT)
    said, _ = attached.communicate(timeout=60)

    assert (attached.returncode, processes_of(own.root)) == (0, [])
    assert "Stopped." in said


def test_a_part_that_dies_in_the_foreground_is_named(own: LiveRuntime, attached: subprocess.Popen[str]) -> None:
    own.kill("graph")
    said, _ = attached.communicate(timeout=60)

    assert (attached.returncode, processes_of(own.root)) == (1, [])
    assert "error: graph API died, so everything was stopped" in said


def test_down_ends_an_attached_up(own: LiveRuntime, attached: subprocess.Popen[str]) -> None:
    own.down()
    attached.communicate(timeout=60)

    assert attached.returncode == 0
