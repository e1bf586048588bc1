"""What every store of versions and its audit do, in memory and in PostgreSQL alike."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

import pytest

from aeterna.policies.domain.versions import State
from aeterna.policies.errors import RequestConflictError, VersionConflictError, VersionNotFoundError
from fixtures.fix_policies import ACME, GLOBEX, MOMENT, PLATFORM, author, draft

if TYPE_CHECKING:
    from aeterna.policies.ports import Audit, Versions

    Stores: TypeAlias = tuple[Versions, Audit]

pytestmark = pytest.mark.anyio


async def test_versions_are_numbered_from_one_without_gaps(stores: Stores) -> None:
    versions, _ = stores

    written = [await versions.write(draft(key)) for key in ("a", "b", "c")]

    assert [(one.version.number, one.created) for one in written] == [(1, True), (2, True), (3, True)]


async def test_a_version_is_read_as_it_was_written(stores: Stores) -> None:
    versions, _ = stores
    files = {"a.cedar": 'permit (principal, action, resource); // "é" \\ \u2028', "entities.json": "[]"}
    await versions.write(draft("a", files=files))

    content = await versions.content(PLATFORM, 1)

    version = content.version
    assert content.files == files
    assert (version.author, version.message, version.created_at) == ("ada", "Let readers read", MOMENT)
    assert (version.state, version.base, version.restores) == (State.PROPOSED, 0, None)


@pytest.mark.parametrize("undecided", [True, False])
async def test_a_version_says_whether_its_report_is_undecided(stores: Stores, undecided: bool) -> None:
    versions, _ = stores
    report = json.dumps({"findings": [], "undecided": undecided})

    written = await versions.write(replace(draft("a"), report=report))

    assert written.version.undecided is undecided
    assert [one.undecided for one in await versions.versions(PLATFORM, before=None, limit=1)] == [undecided]


async def test_a_repeated_request_returns_what_it_made(stores: Stores) -> None:
    versions, audit = stores
    first = await versions.write(draft("a"))

    second = await versions.write(draft("a"))

    assert (second.version, second.created) == (first.version, False)
    assert len(await audit.page(PLATFORM, before=None, limit=10)) == 1


async def test_a_key_belongs_to_one_request(stores: Stores) -> None:
    versions, _ = stores
    await versions.write(draft("a"))

    with pytest.raises(RequestConflictError):
        await versions.write(draft("a", message="Something else"))


async def test_keys_of_different_tenants_are_apart(stores: Stores) -> None:
    versions, _ = stores
    await versions.write(draft("a"))

    assert (await versions.write(draft("a", scope=ACME, message="Ours"))).version.number == 2


async def test_deploying_makes_a_version_the_one_that_decides(stores: Stores) -> None:
    versions, _ = stores
    await versions.write(draft("a"))

    deployed = await versions.deploy(1, by=author(subject="grace"), at=MOMENT)

    assert (deployed.version.state, deployed.version.deployed_by) == (State.DEPLOYED, "grace")
    assert await versions.deployed_number() == 1


async def test_deploying_what_is_deployed_changes_nothing(stores: Stores) -> None:
    versions, audit = stores
    await versions.write(draft("a"), deploy=True)

    again = await versions.deploy(1, by=author(), at=MOMENT)

    assert not again.created
    assert len(await audit.page(PLATFORM, before=None, limit=10)) == 2


async def test_a_version_cannot_be_deployed_over_another_than_it_stands_on(stores: Stores) -> None:
    versions, _ = stores
    await versions.write(draft("a"))
    await versions.write(draft("b"))
    await versions.deploy(1, by=author(), at=MOMENT)

    with pytest.raises(VersionConflictError) as refused:
        await versions.deploy(2, by=author(), at=MOMENT)

    assert refused.value.facts == {"base": 0, "deployed": 1}
    assert (await versions.version(PLATFORM, 2)).state is State.OUTDATED


async def test_a_superseded_version_is_not_deployed_again(stores: Stores) -> None:
    """Its files come back as a new version, so that the number of what is deployed only grows."""
    versions, _ = stores
    await versions.write(draft("a"), deploy=True)
    await versions.write(draft("b", base=1), deploy=True)

    with pytest.raises(VersionConflictError):
        await versions.deploy(1, by=author(), at=MOMENT)

    assert (await versions.version(PLATFORM, 1)).state is State.SUPERSEDED


async def test_a_draft_must_stand_on_what_is_deployed(stores: Stores) -> None:
    versions, _ = stores
    await versions.write(draft("a"), deploy=True)

    with pytest.raises(VersionConflictError):
        await versions.write(draft("b"))


async def test_of_many_deployers_at_once_one_wins(stores: Stores) -> None:
    versions, audit = stores
    for key in ("a", "b", "c", "d"):
        await versions.write(draft(key))

    outcomes = await asyncio.gather(
        *(versions.deploy(number, by=author(), at=MOMENT) for number in (1, 2, 3, 4)), return_exceptions=True
    )

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["VersionConflictError"] * 3 + ["Written"]
    assert len(await audit.page(PLATFORM, before=None, limit=10)) == 5
    assert (await audit.verify()).broken_at is None


async def test_a_tenant_sees_its_own_versions_and_records_alone(stores: Stores) -> None:
    versions, audit = stores
    await versions.write(draft("a", scope=ACME))
    await versions.write(draft("b", scope=GLOBEX))

    with pytest.raises(VersionNotFoundError):
        await versions.content(GLOBEX, 1)

    assert [one.number for one in await versions.versions(GLOBEX, before=None, limit=10)] == [2]
    assert [one.number for one in await versions.versions(PLATFORM, before=None, limit=10)] == [2, 1]
    assert [one.seq for one in await audit.page(GLOBEX, before=None, limit=10)] == [2]


async def test_a_tenant_reads_of_a_version_the_shared_files_and_its_own(stores: Stores) -> None:
    versions, _ = stores
    files = {"a.cedar": "shared", "tenants/acme/a.cedar": "ours", "tenants/globex/a.cedar": "theirs"}
    await versions.write(draft("a", scope=ACME, files=files))

    content = await versions.content(ACME, 1)

    assert sorted(content.files) == ["a.cedar", "tenants/acme/a.cedar"]
    assert (await versions.whole(1)).files == files


async def test_a_tenant_cannot_deploy_what_it_cannot_see(stores: Stores) -> None:
    versions, _ = stores
    await versions.write(draft("a", scope=GLOBEX))

    with pytest.raises(VersionNotFoundError):
        await versions.deploy(1, by=author(ACME), at=MOMENT)


async def test_pages_go_on_where_the_last_one_ended(stores: Stores) -> None:
    versions, audit = stores
    for number in range(5):
        await versions.write(draft(str(number)))

    assert [one.number for one in await versions.versions(PLATFORM, before=4, limit=2)] == [3, 2]
    assert [one.seq for one in await audit.page(PLATFORM, before=4, limit=2)] == [3, 2]


async def test_every_change_has_its_record(stores: Stores) -> None:
    versions, audit = stores
    await versions.write(draft("a"))

    await versions.deploy(1, by=author(subject="grace"), at=MOMENT)

    records = [found.record for found in await audit.page(PLATFORM, before=None, limit=10)]
    assert [(one["act"], one["actor"]) for one in records] == [
        ("version.deployed", "User:grace"),
        ("version.proposed", "User:ada"),
    ]


async def test_what_was_kept_long_enough_is_cut_and_the_chain_still_holds(stores: Stores) -> None:
    versions, audit = stores
    for day in range(4):
        await versions.write(draft(str(day), at=MOMENT - timedelta(days=200 - day)))
    await versions.write(draft("new", at=MOMENT))

    cut = await audit.cut(MOMENT - timedelta(days=150), at=MOMENT)

    assert cut is not None
    assert (cut.records, cut.through.seq) == (4, 4)
    found = await audit.verify()
    assert (found.broken_at, found.first, found.records, found.head.seq) == (None, 5, 2, 6)


async def test_cutting_twice_cuts_once(stores: Stores) -> None:
    versions, audit = stores
    await versions.write(draft("old", at=MOMENT - timedelta(days=200)))
    await versions.write(draft("new", at=MOMENT))
    await audit.cut(MOMENT - timedelta(days=150), at=MOMENT)

    assert await audit.cut(MOMENT - timedelta(days=150), at=MOMENT) is None


async def test_a_chain_of_nothing_holds(stores: Stores) -> None:
    _, audit = stores

    found = await audit.verify()

    assert (found.broken_at, found.records, found.head.seq) == (None, 0, 0)
