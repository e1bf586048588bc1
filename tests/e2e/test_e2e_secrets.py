"""No secret leaves its file: not by arguments, not by environments, not by logs, not by a loose mode."""

from __future__ import annotations

import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from aeterna.cli.local.record import Record
from aeterna.cli.local.state_dir import StateDir

if TYPE_CHECKING:
    from fixtures.fix_live_runtime import LiveRuntime


def canaries(live: LiveRuntime, used: str) -> list[bytes]:
    """Return what must never be seen: the tokens, and the body of the private key."""
    state = StateDir(live.root)
    key = state.key.read_text().splitlines()[1]
    return [secret.encode() for secret in (state.token.read_text().strip(), used, key)]


def test_secrets_are_in_no_log_no_arguments_and_no_environment(live: LiveRuntime, tenant: str) -> None:
    used = live.token("writer", tenant=tenant)
    live.run("graph", "statistics", environment={"AETERNA_TOKEN": used, **addresses(live)})
    live.run("graph", "statistics", environment={"AETERNA_TOKEN": used + "x", **addresses(live)})
    live.run("threads", "append", "t", "hello", environment={"AETERNA_TOKEN": used, **addresses(live)})
    state = StateDir(live.root)
    places = {str(log): log.read_bytes() for log in (state.root / "logs").iterdir()}
    for part, process in Record.read(state).processes.items():
        for name in ("cmdline", "environ"):
            places[f"{part} {name}"] = Path(f"/proc/{process.pid}/{name}").read_bytes()

    secrets = canaries(live, used)

    assert [place for place, content in places.items() if any(secret in content for secret in secrets)] == []
    assert any(b"statistics" in content for content in places.values())


def test_only_their_owner_can_look_into_the_state(live: LiveRuntime) -> None:
    state = StateDir(live.root)
    private = [state.root, state.key, state.token, state.record, state.postgres]

    loose = {str(path): oct(path.stat().st_mode) for path in private if stat.S_IMODE(path.stat().st_mode) & 0o077}

    assert loose == {}


def test_nothing_listens_beyond_this_machine(live: LiveRuntime) -> None:
    listening: set[str] = set()
    inodes = {
        str(link.readlink())
        for process in Record.read(StateDir(live.root)).processes.values()
        for link in links(Path(f"/proc/{process.pid}/fd"))
    }
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for row in Path(table).read_text().splitlines()[1:]:
            fields = row.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes:
                listening.add(fields[1].partition(":")[0])

    assert listening == {"0100007F"}


def links(folder: Path) -> list[Path]:
    found: list[Path] = []
    for link in folder.iterdir():
        with suppress(OSError):
            link.readlink()
            found.append(link)
    return found


def addresses(live: LiveRuntime) -> dict[str, str]:
    return {"AETERNA_GRAPH_URL": live.url("graph"), "AETERNA_THREADS_URL": live.url("threads")}
