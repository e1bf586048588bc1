"""A chain of records tells where it was tampered with, also after its oldest records were cut."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from aeterna.policies.domain.audit import Act, Event, Head, Verifier, cut_of
from aeterna.policies.testing import FakeAudit
from fixtures.fix_policies import MOMENT

if TYPE_CHECKING:
    from aeterna.policies.domain.audit import Link

pytestmark = pytest.mark.anyio


def audit_of(count: int) -> FakeAudit:
    """Return an audit with so many records, a day apart."""
    audit = FakeAudit()
    for day in range(count):
        at = MOMENT + timedelta(days=day)
        audit.append(Event(act=Act.PROPOSED, tenant="acme", actor="User:ada", at=at, facts={"version": day}))
    return audit


async def test_an_untouched_chain_holds() -> None:
    audit = audit_of(5)

    found = await audit.verify()

    assert (found.broken_at, found.records, found.head) == (None, 5, audit.head)


def _forged(found: Link) -> Link:
    return replace(found, record={**found.record, "actor": "User:mallory"})


def changed(links: list[Link], how: str) -> list[Link]:
    """Return five records with the third changed, or one of them gone."""
    first, second, third, fourth, fifth = links
    return {
        "content": [first, second, _forged(third), fourth, fifth],
        "hash": [first, second, replace(third, hash="0" * 64), fourth, fifth],
        "tenant": [first, second, replace(third, tenant="globex"), fourth, fifth],
        "time": [first, second, replace(third, at=MOMENT), fourth, fifth],
        "no middle": [first, second, fourth, fifth],
        "no first": [second, third, fourth, fifth],
        "no last": [first, second, third, fourth],
        "order": [first, second, fourth, third, fifth],
    }[how]


@pytest.mark.parametrize(
    ("how", "broken_at"),
    [
        ("content", 3),
        ("hash", 3),
        ("tenant", 3),
        ("time", 3),
        ("no middle", 3),
        ("no first", 1),
        ("no last", 5),
        ("order", 3),
    ],
)
async def test_whatever_is_changed_is_named(how: str, broken_at: int) -> None:
    audit = audit_of(5)
    audit.links = changed(audit.links, how)

    assert (await audit.verify()).broken_at == broken_at


async def test_a_chain_that_was_cut_still_tells_what_was_changed() -> None:
    audit = audit_of(6)
    await audit.cut(MOMENT + timedelta(days=3), at=MOMENT + timedelta(days=10))
    assert (await audit.verify()).first == 4
    audit.links[1] = _forged(audit.links[1])

    assert (await audit.verify()).broken_at == 5


async def test_a_beginning_that_nobody_cut_is_missing() -> None:
    """Deleting the oldest records without a record of it is a break like any other."""
    audit = audit_of(6)
    await audit.cut(MOMENT + timedelta(days=3), at=MOMENT + timedelta(days=10))
    del audit.links[0]

    assert (await audit.verify()).broken_at == 4


def test_a_record_of_a_cut_that_says_nothing_stands_for_no_cut() -> None:
    assert cut_of({"facts": "nonsense"}) == cut_of({"facts": {"through_seq": "4"}}) == Head()


def test_a_head_that_is_behind_its_chain_is_a_break() -> None:
    audit = audit_of(3)
    verifier = Verifier(Head())
    assert verifier.look(audit.links) is None

    assert verifier.end(Head(seq=2, hash=audit.links[1].hash)).broken_at == 3
