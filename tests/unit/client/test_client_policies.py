"""Policies through the client: proposed, deployed and gone back from, over the administration's own application."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import httpx
import pytest

from aeterna.client import (
    Aeterna,
    AsyncAeterna,
    ConfigurationError,
    PoliciesUnchangedError,
    PolicyAcceptanceRequiredError,
    PolicyFileForbiddenError,
    PolicyRefusedError,
    PolicyVersionConflictError,
    PolicyVersionNotFoundError,
)
from aeterna.policies.testing import FakeSigner, FakeVersions
from fixtures.administration import InProcess, administration
from fixtures.fix_policies import draft, shipped_files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI

GRAPH_URL, THREADS_URL, POLICIES_URL = "http://graph.test", "http://threads.test", "http://policies.test"
MORE = '@id("more")\npermit (principal, action, resource);\n'


@pytest.fixture
def app() -> FastAPI:
    """Return an administration with the shipped policies deployed."""
    versions = FakeVersions()
    anyio.run(lambda: versions.write(draft(files=shipped_files()), deploy=True))
    return administration(versions, FakeSigner())


@pytest.fixture
def admin(app: FastAPI) -> Iterator[Aeterna]:
    """Return a client of the platform's administrator."""
    with Aeterna(
        graph_url=GRAPH_URL,
        threads_url=THREADS_URL,
        policies_url=POLICIES_URL,
        token="platform",
        transport=InProcess(app),
    ) as client:
        yield client


def test_what_is_proposed_is_deployed_and_gone_back_from(admin: Aeterna) -> None:
    made = admin.policies.propose(shipped_files(b__cedar=MORE), message="More")
    deployed = admin.policies.deploy(made.version)
    back = admin.policies.roll_back(1, message="Less")

    assert (made.state, deployed.state, back.restores) == ("proposed", "deployed", 1)
    assert admin.policies.deployed().files == shipped_files()
    assert [one.version for one in admin.policies.versions(page=2)] == [3, 2, 1]


def test_a_version_is_read_whole(admin: Aeterna) -> None:
    found = admin.policies.version(1)

    assert (found.files, found.findings, found.version.author) == (shipped_files(), (), "ada")


def test_a_refusal_holds_the_findings(admin: Aeterna) -> None:
    with pytest.raises(PolicyRefusedError) as refused:
        admin.policies.propose(shipped_files(b__cedar=f"{MORE}// opposing"), message="More")

    (found,) = refused.value.findings
    assert (found.kind, found.file, found.line, found.refuses) == ("opposing", "b.cedar", 1, True)


def test_what_is_undecided_is_told_and_may_be_accepted(admin: Aeterna) -> None:
    made = admin.policies.propose(shipped_files(b__cedar=f"{MORE}// undecided"), message="More")
    with pytest.raises(PolicyAcceptanceRequiredError) as refused:
        admin.policies.deploy(made.version)

    deployed = admin.policies.deploy(made.version, accept_undecided=True)

    assert [found.kind for found in refused.value.findings] == ["undecided"]
    assert (made.undecided, deployed.undecided, deployed.state) == (True, True, "deployed")


def test_a_deployment_in_between_is_a_conflict(admin: Aeterna) -> None:
    first = admin.policies.propose(shipped_files(b__cedar=MORE), message="One")
    second = admin.policies.propose(shipped_files(c__cedar=MORE), message="Two")
    admin.policies.deploy(first.version)

    with pytest.raises(PolicyVersionConflictError):
        admin.policies.deploy(second.version)


def test_a_request_of_ones_own_id_is_recognised(admin: Aeterna) -> None:
    first = admin.policies.propose(shipped_files(b__cedar=MORE), message="More", base=1, request_id="mine")

    assert admin.policies.propose(shipped_files(b__cedar=MORE), message="More", base=1, request_id="mine") == first


def test_the_same_files_again_are_told_apart(admin: Aeterna) -> None:
    with pytest.raises(PoliciesUnchangedError):
        admin.policies.propose(shipped_files(), message="Nothing")


def test_a_version_that_is_none_is_an_error_of_its_own(admin: Aeterna) -> None:
    with pytest.raises(PolicyVersionNotFoundError):
        admin.policies.version(9)


def test_a_file_of_others_is_an_error_of_its_own(app: FastAPI) -> None:
    acme = Aeterna(
        graph_url=GRAPH_URL,
        threads_url=THREADS_URL,
        policies_url=POLICIES_URL,
        token="acme",
        transport=InProcess(app),
    )

    with acme, pytest.raises(PolicyFileForbiddenError):
        acme.policies.propose({"tenants/globex/a.cedar": MORE}, message="Theirs")


def test_a_diff_tells_files_and_effects(admin: Aeterna) -> None:
    admin.policies.propose(shipped_files(b__cedar=MORE), message="More")

    plain, whole = admin.policies.diff(2), admin.policies.diff(2, effects=True)

    assert [(file.path, file.change) for file in plain.files] == [("b.cedar", "added")]
    assert (plain.differences, whole.differences) == (None, ())


def test_the_audit_is_read_and_verified(admin: Aeterna) -> None:
    records = list(admin.policies.audit(page=1))
    found = admin.policies.verify_audit()

    assert [one.act for one in records] == ["version.deployed", "version.proposed"]
    assert (found.holds, found.last_seq, found.last_hash) == (True, 2, records[0].hash)


def test_without_an_address_nothing_is_asked() -> None:
    client = Aeterna(graph_url=GRAPH_URL, threads_url=THREADS_URL, token="platform")

    with client, pytest.raises(ConfigurationError, match="AETERNA_POLICIES_URL"):
        client.policies.deployed()


@pytest.mark.anyio
async def test_asynchronous_code_does_the_same() -> None:
    versions = FakeVersions()
    await versions.write(draft(files=shipped_files()), deploy=True)
    async with AsyncAeterna(
        graph_url=GRAPH_URL,
        threads_url=THREADS_URL,
        policies_url=POLICIES_URL,
        token="platform",
        transport=httpx.ASGITransport(administration(versions, FakeSigner())),
    ) as client:
        made = await client.policies.propose(shipped_files(b__cedar=MORE), message="More")
        await client.policies.deploy(made.version)
        back = await client.policies.roll_back(1, message="Less")
        numbers = [one.version async for one in client.policies.versions(page=2)]
        acts = [one.act async for one in client.policies.audit()]
        diff = await client.policies.diff(back.version)

        assert (numbers, len(acts), (await client.policies.verify_audit()).holds) == ([3, 2, 1], 6, True)
        assert [file.change for file in diff.files] == ["removed"]
        assert (await client.policies.version(3)).files == (await client.policies.deployed()).files
