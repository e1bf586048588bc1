"""The decision log on disk: every change to it is found, and it goes on after every kind of interruption."""

from __future__ import annotations

import json
import resource
import shutil
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aeterna.policy.adapters.decision_log import ChainedDecisionLog
from aeterna.policy.adapters.decision_log_chain import ChainWriter, SegmentLimits, segments_of
from aeterna.policy.adapters.decision_log_check import ChainReport, check_log
from aeterna.policy.domain.audit import Entry
from aeterna.policy.domain.decision import Decision
from aeterna.policy.errors import AuditUnwritableError
from fixtures.fix_policy import question

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

HOUR = 3600.0
SMALL = SegmentLimits(max_bytes=400)


class Time:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def records(count: int, first: int = 0) -> list[dict[str, object]]:
    """Return records that can be told apart."""
    return [{"kind": "decision", "n": number, "who": "ada \u2713"} for number in range(first, first + count)]


def write(folder: Path, count: int, limits: SegmentLimits = SMALL, time: Time | None = None, first: int = 0) -> Path:
    """Write a chain one record at a time, and return where it is."""
    chain = ChainWriter(folder, limits, clock=time or Time())
    for record in records(count, first):
        chain.write([record])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    chain.close()
    return chain.folder


def only(folder: Path) -> ChainReport:
    """Return what the check says of the one chain."""
    (report,) = check_log(folder)
    return report


def numbers(chain: Path) -> list[int]:
    """Return which of the records are in the log."""
    lines = [line for path in segments_of(chain) for line in path.read_bytes().split(b"\n")[:-1]]
    found = [json.loads(line)["record"] for line in lines]
    return [record["n"] for record in found if record["kind"] == "decision"]


def test_a_chain_holds_across_segments_and_restarts(tmp_path: Path) -> None:
    write(tmp_path, 7)
    chain = write(tmp_path, 7, first=7)

    report = only(tmp_path)

    assert (report.broken, report.records - len(segments_of(chain))) == (None, 14)
    assert len(segments_of(chain)) > 3
    assert numbers(chain) == [*range(14)]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a log of several segments, to be copied and changed."""
    folder = tmp_path_factory.mktemp("log")
    write(folder, 9)
    return folder


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_byte_that_was_changed_anywhere_is_found(data: st.DataObject, written: Path, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "log", ignore_errors=True)
    copy = shutil.copytree(written, tmp_path / "log")
    path = data.draw(st.sampled_from(segments_of(copy / "chain-000")))
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] = data.draw(st.integers(0, 255).filter(lambda byte: byte != content[place]))
    path.write_bytes(content)

    report = only(copy)

    assert report.broken is not None or report.unfinished


def lines_of(path: Path) -> list[bytes]:
    """Return a segment's lines with their ends."""
    return path.read_bytes().splitlines(keepends=True)


def drop_a_line(segments: list[Path]) -> None:
    segments[1].write_bytes(b"".join(lines_of(segments[1])[:1] + lines_of(segments[1])[2:]))


def swap_two_lines(segments: list[Path]) -> None:
    first, *others = lines_of(segments[1])
    segments[1].write_bytes(b"".join([first, *reversed(others)]))


def repeat_a_line(segments: list[Path]) -> None:
    segments[1].write_bytes(b"".join([*lines_of(segments[1]), lines_of(segments[1])[-1]]))


def cut_a_segment_short(segments: list[Path]) -> None:
    segments[1].write_bytes(b"".join(lines_of(segments[1])[:-1]))


def cut_within_a_line(segments: list[Path]) -> None:
    segments[1].write_bytes(segments[1].read_bytes()[:-5])


def remove_a_segment(segments: list[Path]) -> None:
    segments[1].unlink()


def remove_the_first_segment(segments: list[Path]) -> None:
    segments[0].unlink()


def empty_a_segment(segments: list[Path]) -> None:
    segments[1].write_bytes(b"")


def exchange_two_segments(segments: list[Path]) -> None:
    first, second = segments[1].read_bytes(), segments[2].read_bytes()
    segments[1].write_bytes(second)
    segments[2].write_bytes(first)


def say_something_twice(segments: list[Path]) -> None:
    # The last one counts for a parser, and the first one for a reader.
    segments[1].write_bytes(segments[1].read_bytes().replace(b'"kind":"decision"', b'"kind":"x","kind":"decision"', 1))


def add_a_space(segments: list[Path]) -> None:
    segments[1].write_bytes(segments[1].read_bytes().replace(b'"record":{', b'"record": {', 1))


CHANGES = [
    drop_a_line,
    swap_two_lines,
    repeat_a_line,
    cut_a_segment_short,
    cut_within_a_line,
    remove_a_segment,
    remove_the_first_segment,
    empty_a_segment,
    exchange_two_segments,
    say_something_twice,
    add_a_space,
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_whatever_is_done_to_a_log_is_found(
    change: Callable[[list[Path]], None], written: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(written, tmp_path / "log")

    change(segments_of(copy / "chain-000"))

    assert only(copy).broken


def test_the_first_broken_record_is_named_by_file_and_line(tmp_path: Path) -> None:
    chain = write(tmp_path, 5, SegmentLimits())
    (path,) = segments_of(chain)
    path.write_bytes(path.read_bytes().replace(b'"n":2', b'"n":9'))

    assert only(tmp_path).broken == (
        f"chain-000/{path.name}:4: the record does not follow the one before it, or was changed"
    )


def test_a_log_without_its_newest_records_is_told_by_its_head(tmp_path: Path) -> None:
    """A chain cannot say what should follow: whoever wants to know notes its head elsewhere."""
    chain = write(tmp_path, 5, SegmentLimits())
    (path,) = segments_of(chain)
    before = only(tmp_path)
    path.write_bytes(b"".join(lines_of(path)[:-1]))

    after = only(tmp_path)

    assert (after.broken, after.head == before.head, after.records) == (None, False, before.records - 1)


def test_a_crash_in_the_middle_of_a_record_is_gone_on_from(tmp_path: Path) -> None:
    chain = write(tmp_path, 3)
    last = segments_of(chain)[-1]
    last.write_bytes(last.read_bytes() + b'{"hash":"00')
    crashed = only(tmp_path)

    write(tmp_path, 2, first=3)

    assert (crashed.broken, crashed.unfinished) == (None, 11)
    assert (only(tmp_path).broken, numbers(chain)) == (None, [0, 1, 2, 3, 4])


def test_what_a_crash_left_may_not_be_removed_afterwards(tmp_path: Path) -> None:
    chain = write(tmp_path, 3)
    last = segments_of(chain)[-1]
    last.write_bytes(last.read_bytes() + b'{"hash":"00')
    write(tmp_path, 2, first=3)

    last.write_bytes(last.read_bytes()[:-3])

    assert only(tmp_path).broken


@contextmanager
def no_file_over(limit: int) -> Generator[None]:
    """Let the kernel refuse to write beyond a size, as a full disk does: in the middle of a record."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("room", [0, 10, 200, 300, 450, 600])
def test_a_disk_that_is_full_in_the_middle_of_a_batch_costs_no_record_that_was_written(
    room: int, tmp_path: Path
) -> None:
    chain = ChainWriter(tmp_path, SegmentLimits(), clock=Time())
    waiting = records(5)

    with no_file_over(room), pytest.raises(AuditUnwritableError) as refused:
        chain.write(waiting)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    del waiting[: refused.value.written]
    chain.write(waiting)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    chain.close()

    assert (only(tmp_path).broken, numbers(chain.folder)) == (None, [0, 1, 2, 3, 4])


def test_two_processes_write_two_chains(tmp_path: Path) -> None:
    first = ChainWriter(tmp_path, SMALL, clock=Time())
    second = ChainWriter(tmp_path, SMALL, clock=Time())
    names = [first.folder.name, second.folder.name]
    first.close()
    third = ChainWriter(tmp_path, SMALL, clock=Time())
    names.append(third.folder.name)
    second.close()
    third.close()

    assert names == ["chain-000", "chain-001", "chain-000"]


def test_a_segment_ends_with_its_hour(tmp_path: Path) -> None:
    time = Time()
    chain = ChainWriter(tmp_path, SegmentLimits(), clock=time)
    for _ in range(3):
        chain.tick()
        chain.write([{"kind": "decision", "n": 0}])
        time.now += HOUR
    chain.close()

    assert [path.name for path in segments_of(chain.folder)] == [
        "00000001-20231114T221320Z.jsonl",
        "00000002-20231114T231320Z.jsonl",
        "00000003-20231115T001320Z.jsonl",
    ]


def test_what_is_over_the_size_is_removed_from_the_oldest_on_and_the_chain_says_so(tmp_path: Path) -> None:
    limits = SegmentLimits(max_bytes=400, max_total_bytes=2000)

    chain = write(tmp_path, 40, limits)

    kept = numbers(chain)
    assert kept == [*range(kept[0], 40)]
    assert kept[0] > 0
    assert sum(path.stat().st_size for path in segments_of(chain)) < 3000
    assert only(tmp_path).broken is None


def test_what_is_older_than_its_retention_is_removed(tmp_path: Path) -> None:
    """The age of a segment is that of its last record, as the file system has it."""
    chain = write(tmp_path, 6)
    before = len(segments_of(chain))
    future = Time()
    future.now = segments_of(chain)[-1].stat().st_mtime + timedelta(days=91).total_seconds()

    write(tmp_path, 1, SMALL, future, first=6)

    # The last one of before stays until another follows the one that follows it.
    assert (before > 2, len(segments_of(chain))) == (True, 2)
    assert only(tmp_path).broken is None


def test_a_removal_that_was_never_announced_is_found(tmp_path: Path) -> None:
    limits = SegmentLimits(max_bytes=400, max_total_bytes=2000)
    chain = write(tmp_path, 40, limits)

    segments_of(chain)[0].unlink()

    assert "missing" in (only(tmp_path).broken or "")


def test_what_could_not_be_taken_is_counted_in_the_log_itself(tmp_path: Path) -> None:
    chain = ChainWriter(tmp_path, SegmentLimits(), clock=Time())
    log = ChainedDecisionLog(chain, capacity=0, values=False, clock=Time())
    denied = Decision(allowed=False, policies=(), errors=(), epoch=1, digest="d", age=0.0, cached=False)

    for _ in range(3):
        log.offer(Entry(0.0, question(), denied, None))
    log.close()

    (path,) = segments_of(chain.folder)
    assert json.loads(lines_of(path)[1])["record"] == {
        "kind": "lost",
        "time": "2023-11-14T22:13:20.000000Z",
        "count": 3,
    }


def test_a_record_that_json_cannot_say_is_replaced_by_one_that_says_so(tmp_path: Path) -> None:
    chain = ChainWriter(tmp_path, SegmentLimits(), clock=Time())

    chain.write([{"kind": "decision", "time": "t", "n": float("nan")}, {"kind": "decision", "who": "\ud800"}])
    chain.close()

    kinds = [json.loads(line)["record"]["kind"] for line in lines_of(segments_of(chain.folder)[0])]
    assert (kinds, only(tmp_path).broken) == (["segment", "unwritable", "unwritable"], None)


def test_a_folder_that_cannot_be_written_is_refused_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(AuditUnwritableError, match="file"):
        ChainWriter(tmp_path / "file", SMALL, clock=Time())
