"""Whoever is erased is nowhere any more: in no table, in no object, and not in the certificate."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import psycopg
import pytest

from aeterna.service.caller import TenantId
from aeterna.service.hash_chain import broken_at
from aeterna.threads.domain.conversation import MessageDraft, MessageId, Role, TextPart, ThreadDraft, ThreadId
from aeterna.threads.domain.erasure import ErasureState, target_of
from aeterna.threads.domain.removal import Advance
from aeterna.threads.domain.task import AgentId, Kind, Row, State, Write
from aeterna.threads.errors import (
    ErasureConflictError,
    ErasureNotFoundError,
    LegalHoldError,
    TaskNotFoundError,
    ThreadNotFoundError,
)
from fixtures.fix_thread_retention import ACME, AGENT

if TYPE_CHECKING:
    from fixtures.fix_thread_retention import Retained

pytestmark = pytest.mark.anyio

OTHER: Final = TenantId("other")
LARGE: Final = "large " * 1000


def canary(name: str) -> str:
    """Return a word that stands for what a subject wrote, and for nothing else."""
    return f"canary-of-{name}"


async def filled(retained: Retained, tenant: TenantId = ACME) -> None:
    """Let ada, who is to be forgotten, and bob fill every table there is."""
    ada, bob = (("ada", canary("ada")), ("bob", canary("bob")))
    await retained.thread("of-ada", ada, bob, tenant=tenant, by="ada")
    await retained.thread("of-ada-for-ever", ada, tenant=tenant, by="ada", ttl=None)
    await retained.thread("of-bob", bob, ada, bob, ("ada", canary("ada") + LARGE), tenant=tenant, by="bob")
    await retained.thread("of-bob-for-ever", bob, ada, bob, tenant=tenant, by="bob", ttl=None)
    await retained.task("task-of-ada", canary("ada"), canary("ada") + LARGE, owner="ada", tenant=tenant)
    await retained.task("task-of-bob", canary("bob"), canary("bob") + LARGE, owner="bob", tenant=tenant)
    for owner in ("ada", "bob"):
        task = f"task-of-{owner}"
        retained.execute(
            "INSERT INTO threads.steps (tenant, thread_id, key, fingerprint, epoch, finished, result)"
            " VALUES (%s, %s, 'send', 'f', 1, true, to_json(%s::text))",
            tenant,
            task,
            canary(owner),
        )
        retained.execute(
            "INSERT INTO threads.push_configs (tenant, thread_id, config_id, agent, owner, context_id, url, host)"
            " SELECT tenant, thread_id, 'c', agent, created_by, context_id, 'https://' || %s, 'h' FROM threads.threads"
            " WHERE tenant = %s AND thread_id = %s",
            canary(owner),
            tenant,
            task,
        )


async def done(retained: Retained) -> None:
    """Clean up until no erasure is pending; what was just written need not be waited for."""
    async with asyncio.timeout(30):
        while retained.execute("SELECT FROM threads.erasures WHERE state = 'pending' AND held_by IS NULL"):
            retained.execute("UPDATE threads.objects SET noted_at = '-infinity' WHERE state = 'written'")
            await retained.cleanup.round()


async def test_an_erased_author_is_not_in_the_present_status_of_anothers_task(retained: Retained) -> None:
    """The status is kept beside the log as well, for whoever lists tasks."""
    task_id = await retained.task("task-of-bob", canary("bob"), owner="bob")
    message = {"messageId": "m-9", "role": "ROLE_AGENT", "parts": [{"text": canary("ada")}]}
    status = {"state": State.WORKING.value, "message": message}
    row = Row(kind=Kind.STATUS, streamed=True, said=True, author="ada", payload={"status": status})
    write = Write(
        task_id=task_id,
        owner="bob",
        write_id="w-9",
        rows=(row,),
        expected_version=2,
        state=State.WORKING,
        status=status,
    )
    await retained.tasks.write(ACME, AGENT, [write])
    await retained.erase("ada")

    await done(retained)

    assert retained.execute("SELECT status::text, context_id FROM threads.threads") == [
        ('{"state" : "TASK_STATE_WORKING"}', "context of bob")
    ]


async def test_an_erased_subject_is_nowhere(retained: Retained) -> None:
    """Every row of every table and every object is read, not only what an API shows."""
    await filled(retained)
    before = retained.everything()

    await retained.erase(subject="ada")
    await done(retained)

    after = retained.everything()
    assert (canary("ada") in before, canary("ada") in after) == (True, False)
    assert '"ada"' not in after
    assert "title of ada" not in after
    assert after.count(canary("bob")) > 0


async def test_what_others_wrote_stays_and_keeps_its_place(retained: Retained) -> None:
    await filled(retained)

    await retained.erase(subject="ada")
    await done(retained)

    page = await retained.store.messages(ACME, ThreadId("of-bob"), after_seq=0, limit=10)
    said = [(message.seq, message.author, message.parts[0].text) for message in page.messages]  # type: ignore[union-attr] - all are texts
    assert said == [(1, "bob", canary("bob")), (2, "erased", ""), (3, "bob", canary("bob")), (4, "erased", "")]


async def test_a_thread_with_erased_rows_can_be_written_to(retained: Retained) -> None:
    """The one who was erased may speak again, even under the message id that it had."""
    await filled(retained)
    await retained.erase(subject="ada")
    await done(retained)

    draft = MessageDraft(message_id=MessageId("m-2-ada"), role=Role.USER, parts=(TextPart(text="again"),))
    receipt = await retained.store.append(ACME, ThreadId("of-bob"), draft, by="ada")

    assert (receipt.seq, receipt.created) == (5, True)


async def test_another_tenant_of_the_same_subject_is_not_touched(retained: Retained) -> None:
    await filled(retained)
    await filled(retained, OTHER)
    before = retained.execute("SELECT * FROM threads.events WHERE tenant = 'other' ORDER BY thread_id, seq")

    await retained.erase(subject="ada")
    await done(retained)

    after = retained.execute("SELECT * FROM threads.events WHERE tenant = 'other' ORDER BY thread_id, seq")
    assert (after == before, len(after)) == (True, 18)


async def test_an_erased_thread_is_gone_and_its_neighbours_are_not(retained: Retained) -> None:
    await filled(retained)

    await retained.erase(thread_id=ThreadId("task-of-ada"))
    await done(retained)

    with pytest.raises(TaskNotFoundError):
        await retained.tasks.rows(ACME, AGENT, ThreadId("task-of-ada"), owner="ada", after=0, limit=1)
    assert set(retained.kept()) == {"of-ada", "of-ada-for-ever", "of-bob", "of-bob-for-ever", "task-of-bob"}


async def test_an_erased_tenant_is_empty_and_the_others_are_not(retained: Retained) -> None:
    await filled(retained)
    await retained.thread("theirs", ("cleo", "hello"), tenant=OTHER, by="cleo")

    await retained.erase(everything=True)
    await done(retained)

    assert retained.kept() == {"theirs": 1}


async def test_an_erased_agent_leaves_the_tasks_of_others_without_its_words(retained: Retained) -> None:
    await retained.task("task", canary("ada"), owner="ada", agent=AgentId("robot"))
    retained.execute(
        'UPDATE threads.threads SET status = \'{"message": "canary-of-robot"}\', state = %s', State.WORKING
    )

    await retained.erase(subject="robot")
    await done(retained)

    view = await retained.tasks.task(
        ACME, AgentId("robot"), ThreadId("task"), owner="ada", history_length=None, artifacts=True
    )
    assert [row.row.author for row in view.rows] == ["ada", "erased"]
    assert (view.task.status, view.rows[1].row.payload) == (
        {"state": State.WORKING.value},
        {"artifact": {"artifactId": "erased-2"}},
    )


async def test_the_certificate_says_what_went_and_names_nobody(retained: Retained) -> None:
    await filled(retained)

    ordered = await retained.erase(subject="ada")
    await done(retained)

    certificate = await retained.retention.erasure(ACME, ordered.erasure_id)
    assert certificate.state is ErasureState.DONE
    assert dict(certificate.removed) == {
        "threads": 3,
        "rows": 7,
        "buried_rows": 3,
        "touched_threads": 2,
        "steps": 1,
        "push_configs": 1,
        "objects": 2,
    }
    assert set((certificate.remains or {"": 1}).values()) == {0}
    salt = str(ordered.erasure_id).encode()
    assert certificate.target_digest == hashlib.scrypt(b"ada", salt=salt, n=16384, r=8, p=1, dklen=32).hex()


async def test_the_certificate_stands_in_a_chain_that_shows_every_change(retained: Retained) -> None:
    await filled(retained)
    await retained.hold(thread_id=ThreadId("nobody"))
    ordered = await retained.erase(subject="ada")
    await done(retained)

    records = await retained.retention.audit(ACME, after=0, limit=10)
    link = (await retained.retention.erasure(ACME, ordered.erasure_id)).link
    assert [record.record["event"] for record in records] == ["hold_placed", "erasure_ordered", "erasure_done"]
    assert link is not None
    assert (link.number, link.hash) == (3, records[2].hash)
    assert broken_at((record.record, record.hash) for record in records) is None
    assert broken_at(({**record.record, "by": "x"}, record.hash) for record in records) == 0


async def test_a_subject_that_erases_itself_is_not_named_either(retained: Retained) -> None:
    await filled(retained)
    target = target_of(subject="ada", thread_id=None, tenant=False)

    await retained.retention.order(ACME, uuid4(), target, by="ada")
    await done(retained)

    assert '"ada"' not in retained.everything()


async def test_the_same_order_twice_is_one_erasure(retained: Retained) -> None:
    await filled(retained)
    ordered = await retained.erase(subject="ada")
    await done(retained)
    target = target_of(subject="ada", thread_id=None, tenant=False)

    again = await retained.retention.order(ACME, ordered.erasure_id, target, by="officer")

    assert (again.state, len(await retained.retention.erasures(ACME, limit=10))) == (ErasureState.DONE, 1)


async def test_an_id_is_not_taken_for_another_erasure(retained: Retained) -> None:
    ordered = await retained.erase(subject="ada")

    with pytest.raises(ErasureConflictError):
        await retained.retention.order(
            ACME, ordered.erasure_id, target_of(subject="bob", thread_id=None, tenant=False), by="officer"
        )


async def test_an_erasure_of_another_tenant_is_not_found(retained: Retained) -> None:
    ordered = await retained.erase(subject="ada")

    with pytest.raises(ErasureNotFoundError):
        await retained.retention.erasure(OTHER, ordered.erasure_id)


@pytest.mark.parametrize(
    "held",
    [{}, {"subject": "ada"}, {"thread_id": "of-bob"}, {"subject": "bob"}],
    ids=["the tenant", "the subject", "a thread in which it wrote", "who wrote in its threads"],
)
async def test_a_hold_forbids_the_erasure(retained: Retained, held: dict[str, str]) -> None:
    await filled(retained)
    await retained.hold(**held)

    with pytest.raises(LegalHoldError, match="case-1"):
        await retained.erase(subject="ada")

    assert retained.execute("SELECT FROM threads.erasures") == []


async def test_a_hold_that_covers_nothing_of_the_subject_forbids_nothing(retained: Retained) -> None:
    await retained.thread("of-ada", ("ada", "hello"), by="ada")
    await retained.thread("of-bob", ("bob", "hello"), by="bob")
    await retained.hold(subject="bob")

    await retained.erase(subject="ada")
    await done(retained)

    assert retained.kept() == {"of-bob": 1}


async def test_a_hold_that_comes_after_the_order_stops_it_and_what_is_hidden_stays_hidden(retained: Retained) -> None:
    await retained.thread("of-ada", ("ada", "hello"), by="ada")
    ordered = await retained.erase(subject="ada")
    await retained.work.advance(ACME, ordered.erasure_id, limit=100)
    await retained.hold(thread_id=ThreadId("of-ada"))

    await retained.cleanup.round()

    erasure = await retained.retention.erasure(ACME, ordered.erasure_id)
    assert (erasure.state, erasure.held_by, retained.kept()) == (ErasureState.PENDING, "case-1", {"of-ada": 1})
    with pytest.raises(ThreadNotFoundError):
        await retained.store.thread(ACME, ThreadId("of-ada"))


async def test_the_erasure_goes_on_when_the_hold_is_released(retained: Retained) -> None:
    await retained.thread("of-ada", ("ada", "hello"), by="ada")
    await retained.erase(subject="ada")
    await retained.hold(subject="ada")
    await retained.cleanup.round()

    await retained.retention.release(ACME, "case-1", by="counsel")
    await retained.cleanup.round()

    assert retained.kept() == {}


async def test_an_erasure_that_is_cut_off_after_every_step_comes_to_the_same_end(retained: Retained) -> None:
    """One thread a step, and each step by a process of its own."""
    await filled(retained)
    ordered = await retained.erase(subject="ada")
    outcomes = list[Advance]()

    for _ in itertools.takewhile(lambda _: Advance.DONE not in outcomes, range(60)):
        outcomes.append(await retained.work.advance(ACME, ordered.erasure_id, limit=1))
        if outcomes[-1] is Advance.WAITING:
            await done(retained)

    assert canary("ada") not in retained.everything()
    assert len(outcomes) > 12


async def test_what_a_writer_had_begun_before_the_order_is_erased_too(retained: Retained) -> None:
    """Its transaction is still open when the order comes: the erasure waits for it, rather than pass it by."""
    await retained.thread("of-bob", ("bob", "hello"), by="bob")
    with psycopg.connect(retained.dsn) as writer:
        writer.execute("SELECT FROM threads.threads WHERE thread_id = 'of-bob' FOR UPDATE")
        writer.execute(
            "INSERT INTO threads.events (born, tenant, thread_id, seq, kind, message_id, role, parts, metadata, digest,"
            " author, created_at) SELECT born, tenant, thread_id, 2, 'message', 'l', 'user', to_json(%s::text), '{}',"
            " sha256('x'), 'ada', now() FROM threads.threads WHERE thread_id = 'of-bob'",
            (canary("ada"),),
        )
        writer.execute("UPDATE threads.threads SET last_seq = 2 WHERE thread_id = 'of-bob'")
        ordered = await retained.erase(subject="ada")
        outcomes = [await retained.work.advance(ACME, ordered.erasure_id, limit=100) for _ in range(3)]
    await done(retained)

    assert outcomes[-1] is Advance.WAITING
    assert canary("ada") not in retained.everything()


async def test_what_the_subject_writes_after_the_order_is_not_part_of_it(retained: Retained) -> None:
    await retained.erase(subject="ada")
    await retained.thread("later", ("ada", "I am back"), by="ada")

    await done(retained)

    assert retained.kept() == {"later": 1}


async def test_an_erased_thread_is_found_by_nobody_from_the_first_step_on(retained: Retained) -> None:
    await filled(retained)
    ordered = await retained.erase(subject="ada")

    await retained.work.advance(ACME, ordered.erasure_id, limit=100)

    listed = await retained.store.threads(ACME, after=None, limit=10)
    assert {thread.thread_id for thread in listed} == {"of-bob", "of-bob-for-ever"}
    opened = await retained.store.open(ACME, ThreadDraft(thread_id=ThreadId("of-ada"), title="new"), by="cleo")
    assert opened.created is True


async def test_the_service_s_own_role_can_neither_erase_nor_change_what_was_said(retained: Retained) -> None:
    """Whoever takes over the serving process still cannot rewrite a conversation, nor the audit of what was erased."""
    await filled(retained)
    allowed = retained.execute(
        "SELECT table_name, privilege_type FROM information_schema.role_table_grants WHERE grantee = 'aeterna_threads'"
        " AND table_schema = 'threads' AND table_name IN ('events', 'audit', 'erasures')"
        " AND privilege_type IN ('UPDATE', 'DELETE', 'TRUNCATE')"
    )
    may_bury = retained.execute(
        "SELECT has_function_privilege('aeterna_threads', oid, 'EXECUTE') FROM pg_proc WHERE proname = 'bury_rows'"
    )

    assert (allowed, may_bury) == ([], [(False,)])
