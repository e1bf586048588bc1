"""Writes of tasks as they are read: what no database and no reader could make sense of is refused by itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aeterna.threads.api.task_bodies import parse_writes
from aeterna.threads.domain.task import Write
from aeterna.threads.errors import InvalidWriteError


def write(task_id: str = "task-1", payload: dict[str, Any] | None = None, **more: object) -> dict[str, Any]:
    """Return a runner's write of one row."""
    row = {"kind": "status", "author": "billing", "payload": payload or {"status": {}}}
    return {"task_id": task_id, "owner": "ada", "write_id": "w-1", "epoch": 1, "rows": [row], **more}


def parsed(*texts: str) -> list[type]:
    """Return what each write came to."""
    return [type(each) for each in parse_writes(f'{{"writes":[{",".join(texts)}]}}'.encode())]


@pytest.mark.parametrize("number", ["1e309", "1e+0309", "-" + "9" * 299 + "e99", "9" * 211 + ".5e98", "9" * 310 + ".0"])
@pytest.mark.parametrize("member", ["payload", "status", "metadata"])
def test_a_number_that_no_double_holds_is_refused_and_its_neighbour_is_not(number: str, member: str) -> None:
    """It became an infinity, for which the store found no JSON, and all writes that were gathered with it failed."""
    said = {"n": "@"}
    bad = json.dumps(write(payload=said) if member == "payload" else write() | {member: said}).replace('"@"', number)

    assert parsed(bad, json.dumps(write("task-2"))) == [InvalidWriteError, Write]


@pytest.mark.parametrize("seconds", [1e300, 1e14, 0, -1])
def test_a_time_to_live_that_no_interval_holds_is_refused_and_its_neighbour_is_not(seconds: float) -> None:
    bad = write(creation={"context_id": "c-1", "ttl_seconds": seconds})
    del bad["epoch"]

    assert parsed(json.dumps(bad), json.dumps(write("task-2"))) == [InvalidWriteError, Write]


@pytest.mark.parametrize("named", [{"sha256": "0" * 64, "size": 1}, 5, None])
def test_a_payload_that_looks_like_a_moved_one_is_refused(named: object) -> None:
    """Where no object store is, it was kept as it came, and nobody could read the task again."""
    assert parsed(json.dumps(write(payload={"$object": named}))) == [InvalidWriteError]
