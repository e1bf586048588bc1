"""Conversations through the client: exactly-once appends, pages, and events that resume."""

from __future__ import annotations

from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING

import httpx
import pytest

from aeterna.client import (
    DataPart,
    InvalidArgumentError,
    MessageConflictError,
    ProblemError,
    SequenceConflictError,
    TextPart,
)
from aeterna.client.testing import problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeterna.client import Aeterna
    from aeterna.client.sync_threads import SyncThreads
    from aeterna.client.testing import FakeRuntime


def test_a_message_appended_twice_is_kept_once(aeterna: Aeterna) -> None:
    thread = aeterna.threads.open("incident-7")
    first = thread.append("agent", ["Rolled back ledger."], message_id="m-19")
    again = thread.append("agent", ["Rolled back ledger."], message_id="m-19")

    assert (first.seq, again.seq, again.repeated) == (1, 1, True)


def test_a_thread_may_be_opened_for_a_time(aeterna: Aeterna) -> None:
    """Without one it is there for ever."""
    kept = aeterna.threads.open("kept").info()
    ending = aeterna.threads.open("ending", ttl=timedelta(minutes=90)).info()

    assert kept.expires_at is None
    assert ending.expires_at == ending.created_at + timedelta(minutes=90)


def test_a_message_id_is_drawn_when_none_is_given(aeterna: Aeterna) -> None:
    """So that the retry of a call whose answer was lost cannot append twice."""
    thread = aeterna.threads.open("t")

    assert thread.append("user", ["a"]).message_id != thread.append("user", ["a"]).message_id


def test_a_lost_answer_does_not_double_a_message(aeterna: Aeterna, fake: FakeRuntime) -> None:
    thread = aeterna.threads.open("t")
    fake.failures.append(httpx.ReadError("connection reset"))

    appended = thread.append("user", ["once"])

    assert (appended.seq, len(fake.messages["t"])) == (1, 1)


def test_other_content_under_the_same_id_is_refused(aeterna: Aeterna) -> None:
    thread = aeterna.threads.open("t")
    thread.append("user", ["a"], message_id="m")

    with pytest.raises(MessageConflictError):
        thread.append("user", ["b"], message_id="m")


def test_an_append_may_name_what_it_has_seen(aeterna: Aeterna) -> None:
    thread = aeterna.threads.open("t")
    thread.append("user", ["a"])

    with pytest.raises(SequenceConflictError):
        thread.append("user", ["b"], expected_seq=0)


def test_messages_are_read_page_by_page(aeterna: Aeterna) -> None:
    thread = aeterna.threads.open("t")
    for number in range(5):
        thread.append("user", [str(number)])

    assert [(message.seq, message.text) for message in thread.messages(page=2)] == [
        (number + 1, str(number)) for number in range(5)
    ]


def test_parts_are_text_or_data(aeterna: Aeterna) -> None:
    thread = aeterna.threads.open("t")
    thread.append("agent", ["said", TextPart(text="more"), DataPart(data={"pages": [1, 2]})])

    (message,) = thread.messages()

    assert message.parts == (TextPart(text="said"), TextPart(text="more"), DataPart(data={"pages": [1, 2]}))
    assert message.text == "said\nmore"


def test_a_single_string_is_not_a_list_of_parts(aeterna: Aeterna) -> None:
    """A string is a sequence of strings: without this check each letter would be a part."""
    with pytest.raises(InvalidArgumentError, match="list"):
        aeterna.threads.get("t").append("user", "oops")


def test_events_resume_after_the_last_message_seen(aeterna: Aeterna, fake: FakeRuntime) -> None:
    """The fake ends every stream after what there is, so each connection here is a resumption."""
    thread = aeterna.threads.open("t")
    thread.append("user", ["a"])
    events = thread.events()
    first = next(events)
    thread.append("agent", ["b"])

    second = next(events)

    assert (first.seq, second.seq) == (1, 2)
    assert fake.requests[-1].headers["Last-Event-ID"] == "1"


def test_events_survive_a_service_that_is_away_for_a_while(aeterna: Aeterna, fake: FakeRuntime) -> None:
    thread = aeterna.threads.open("t")
    thread.append("user", ["a"])
    fake.failures.extend([httpx.ConnectError("refused"), problem(503, "threads.unavailable", "no database")])

    assert [message.seq for message in islice(thread.events(), 1)] == [1]


def test_events_give_up_when_the_service_refuses(aeterna: Aeterna, fake: FakeRuntime) -> None:
    fake.failures.append(problem(403, "policy.denied", "may not read"))

    with pytest.raises(Exception, match=r"policy\.denied"):
        next(aeterna.threads.get("t").events())


def test_a_thread_that_was_opened_otherwise_can_still_be_resumed(aeterna: Aeterna, fake: FakeRuntime) -> None:
    """Whoever resumes a thread does not know its title."""
    fake.failures.append(problem(409, "threads.thread_conflict", "another title"))

    assert aeterna.threads.open("t").thread_id == "t"


UNKNOWN: tuple[Callable[[SyncThreads], object], ...] = (
    lambda threads: list(threads.search("ledger")),
    lambda threads: list(threads.list(title="Ledger")),
    lambda threads: list(threads.list(created_by="ada")),
    lambda threads: list(threads.tasks.list("ada")),
)


@pytest.mark.parametrize("ask", UNKNOWN, ids=["search", "by title", "by who opened them", "tasks"])
def test_the_fake_says_what_it_does_not_know_and_never_guesses(
    aeterna: Aeterna, ask: Callable[[SyncThreads], object]
) -> None:
    aeterna.threads.open("t").append("user", ["ledger"])

    with pytest.raises(ProblemError) as caught:
        ask(aeterna.threads)

    assert caught.value.problem.code == "http.404"
