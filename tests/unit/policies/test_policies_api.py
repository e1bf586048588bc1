"""The API over stores in memory: what is answered, with which status, and what is never done."""

from __future__ import annotations

import io
import tarfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from aeterna.cedar.adapters.cedar import CedarCompiler
from aeterna.cedar.domain.signed_bundle import decode
from aeterna.policies.domain.findings import Finding, Kind, Place
from aeterna.policies.testing import FakeAnalyser, FakeAnalysis, FakeSigner, FakeVersions
from aeterna.policies.usecases.administering import Administering
from aeterna.policies.usecases.checking import Checking
from fixtures.administration import SIZES, administration
from fixtures.fix_policies import MOMENT, shipped_files

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from pathlib import Path

    from fastapi import FastAPI

    from aeterna.cedar.domain.bundle import Bundle
    from aeterna.policies.domain.findings import Report

pytestmark = pytest.mark.anyio

ROOT = "/api/v1/policies"
DIGEST = "sha256:" + "0" * 64


class _OpposingAnalyser(FakeAnalyser):
    """Finds every bundle opposing."""

    def analyse(self, bundle: Bundle, *, progress: Callable[[int, int], None] | None = None) -> Report:
        report = super().analyse(bundle, progress=progress)
        found = Finding(kind=Kind.OPPOSING, policies=("a", "b"), message="a opposes b", place=Place(file="a.cedar"))
        return replace(report, findings=(found,))


def proposal(request_id: str = "one", *, base: int = 0, **files: str) -> dict[str, Any]:
    """Return the body of a proposal of the shipped files and others."""
    return {"request_id": request_id, "base": base, "message": "Because", "files": shipped_files(**files)}


def permit(name: str) -> str:
    """Return a file with one permit of this id."""
    return f'@id("{name}")\npermit (principal, action, resource);\n'


@pytest.fixture
def versions() -> FakeVersions:
    """Return the versions behind the API."""
    return FakeVersions()


@pytest.fixture
def signer() -> FakeSigner:
    """Return what signs bundles."""
    return FakeSigner()


@pytest.fixture
def app(versions: FakeVersions, signer: FakeSigner) -> FastAPI:
    """Return the application, which lets only the role admin do anything."""
    return administration(versions, signer)


async def _client(app: FastAPI, token: str | None) -> httpx.AsyncClient:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://policies", headers=headers)


@pytest.fixture
async def platform(app: FastAPI) -> AsyncGenerator[httpx.AsyncClient]:
    """Return a client of the platform's administrator."""
    async with await _client(app, "platform") as client:
        yield client


@pytest.fixture
async def acme(app: FastAPI) -> AsyncGenerator[httpx.AsyncClient]:
    """Return a client of the administrator of the tenant acme."""
    async with await _client(app, "acme") as client:
        yield client


@pytest.fixture
async def globex(app: FastAPI) -> AsyncGenerator[httpx.AsyncClient]:
    """Return a client of the administrator of the tenant globex."""
    async with await _client(app, "globex") as client:
        yield client


@pytest.fixture
async def sidecar(app: FastAPI) -> AsyncGenerator[httpx.AsyncClient]:
    """Return a client without a token."""
    async with await _client(app, None) as client:
        yield client


async def deployed(platform: httpx.AsyncClient, **files: str) -> int:
    """Propose and deploy the shipped bundle, with other files; return the version."""
    base = (await platform.get(f"{ROOT}/deployed")).json()["version"]
    made = await platform.post(f"{ROOT}/versions", json=proposal(f"r{base}", base=base, **files))
    number: int = made.json()["version"]
    assert (await platform.post(f"{ROOT}/versions/{number}/deploy")).status_code == 201
    return number


async def test_a_proposal_becomes_a_version(platform: httpx.AsyncClient) -> None:
    made = await platform.post(f"{ROOT}/versions", json=proposal())

    assert made.status_code == 201
    assert (made.json()["version"], made.json()["state"], made.json()["author"]) == (1, "proposed", "ada")


async def test_repeating_a_proposal_is_harmless(platform: httpx.AsyncClient) -> None:
    first = await platform.post(f"{ROOT}/versions", json=proposal())

    again = await platform.post(f"{ROOT}/versions", json=proposal())

    assert (again.status_code, again.json()) == (200, first.json())


async def test_a_proposal_is_recognised_even_when_another_version_was_deployed_since(
    platform: httpx.AsyncClient,
) -> None:
    await deployed(platform)

    assert (await platform.post(f"{ROOT}/versions", json=proposal("r0"))).status_code == 200


async def test_a_policy_that_does_not_parse_is_refused_with_its_file_and_line(platform: httpx.AsyncClient) -> None:
    refused = await platform.post(f"{ROOT}/versions", json=proposal(b__cedar="\n\npermit (principal, action"))

    problem = refused.json()
    assert (refused.status_code, problem["code"]) == (422, "policies.refused")
    found = problem["findings"][0]
    assert (found["kind"], found["file"], found["refuses"]) == ("invalid", "b.cedar", True)
    assert problem["detail"].startswith("b.cedar")


async def test_an_opposing_permit_is_refused_with_the_findings(
    platform: httpx.AsyncClient, versions: FakeVersions
) -> None:
    refused = await platform.post(f"{ROOT}/versions", json=proposal(b__cedar=permit("other") + "// opposing"))

    assert refused.status_code == 422
    assert [found["kind"] for found in refused.json()["findings"]] == ["opposing"]
    assert versions.audit.links == []


async def test_a_version_that_would_be_refused_by_now_is_not_deployed(
    platform: httpx.AsyncClient, app: FastAPI, versions: FakeVersions
) -> None:
    """An analysis of a newer release may find what the one at the proposal did not."""
    await platform.post(f"{ROOT}/versions", json=proposal(b__cedar=permit("other") + "// harmless"))
    strict = Checking(CedarCompiler(), FakeAnalysis(_OpposingAnalyser()), SIZES)
    app.state.administering = Administering(versions, strict, lambda: MOMENT)

    assert (await platform.post(f"{ROOT}/versions/1/deploy")).status_code == 422
    assert (await platform.get(f"{ROOT}/deployed")).json()["version"] == 0


@pytest.mark.parametrize(
    "path",
    [
        "../a.cedar",
        "/etc/a.cedar",
        "a/../b.cedar",
        ".git/a.cedar",
        "a\\b.cedar",
        "a\0.cedar",
        "README.md",
        "",
        "a//b.cedar",
    ],
)
async def test_a_file_that_is_none_of_a_bundle_is_refused(platform: httpx.AsyncClient, path: str) -> None:
    body = proposal()
    body["files"][path] = "// nothing"

    refused = await platform.post(f"{ROOT}/versions", json=body)

    assert (refused.status_code, refused.json()["code"]) == (422, "policies.refused")


async def test_half_a_character_is_refused(platform: httpx.AsyncClient) -> None:
    body = '{"request_id": "a", "base": 0, "message": "m", "files": {"a.cedar": "\\ud800"}}'

    refused = await platform.post(f"{ROOT}/versions", content=body, headers={"Content-Type": "application/json"})

    assert refused.status_code == 422


async def test_too_many_files_are_refused(platform: httpx.AsyncClient) -> None:
    body = proposal()
    body["files"] |= {f"f{number}.cedar": "" for number in range(SIZES.files)}

    refused = await platform.post(f"{ROOT}/versions", json=body)

    assert (refused.status_code, refused.json()["code"]) == (413, "policies.proposal_too_large")


async def test_too_many_bytes_are_refused(platform: httpx.AsyncClient) -> None:
    refused = await platform.post(f"{ROOT}/versions", json=proposal(b__cedar="/" * SIZES.bytes))

    assert refused.status_code == 413


async def test_proposing_what_is_deployed_is_refused(platform: httpx.AsyncClient) -> None:
    await deployed(platform)

    refused = await platform.post(f"{ROOT}/versions", json=proposal("two", base=1))

    assert (refused.status_code, refused.json()["code"]) == (409, "policies.unchanged")


async def test_a_proposal_on_what_is_not_deployed_any_more_is_a_conflict(platform: httpx.AsyncClient) -> None:
    await deployed(platform)

    refused = await platform.post(f"{ROOT}/versions", json=proposal("two", b__cedar=permit("b")))

    assert (refused.status_code, refused.json()["code"]) == (409, "policies.version_conflict")
    assert (refused.json()["base"], refused.json()["deployed"]) == (0, 1)


async def test_what_is_undecided_is_marked_and_deployed_only_by_who_accepts_that(platform: httpx.AsyncClient) -> None:
    made = await platform.post(f"{ROOT}/versions", json=proposal(b__cedar=f"{permit('b')}// undecided"))
    assert (made.status_code, made.json()["undecided"]) == (201, True)

    refused = await platform.post(f"{ROOT}/versions/1/deploy")
    assert (refused.status_code, refused.json()["code"]) == (409, "policies.acceptance_required")
    assert [found["kind"] for found in refused.json()["findings"]] == ["undecided"]
    assert (await platform.get(f"{ROOT}/deployed")).json()["version"] == 0

    accepted = await platform.post(f"{ROOT}/versions/1/deploy", params={"accept_undecided": "true"})
    assert (accepted.status_code, accepted.json()["state"], accepted.json()["undecided"]) == (201, "deployed", True)


async def test_going_back_to_what_was_never_deployed_asks_for_acceptance_too(platform: httpx.AsyncClient) -> None:
    await deployed(platform)
    undecided = proposal("open", base=1, b__cedar=f"{permit('b')}// undecided")
    assert (await platform.post(f"{ROOT}/versions", json=undecided)).status_code == 201
    wish = {"request_id": "back", "base": 1, "message": "m", "to": 2}

    refused = await platform.post(f"{ROOT}/rollback", json=wish)
    accepted = await platform.post(f"{ROOT}/rollback", json={**wish, "accept_undecided": True})

    assert (refused.json()["code"], accepted.status_code) == ("policies.acceptance_required", 201)


async def test_going_back_makes_a_new_version_with_the_old_files(platform: httpx.AsyncClient) -> None:
    await deployed(platform)
    await deployed(platform, b__cedar=permit("b"))

    back = await platform.post(
        f"{ROOT}/rollback", json={"request_id": "back", "base": 2, "message": "It broke", "to": 1}
    )

    assert (back.status_code, back.json()["version"], back.json()["state"]) == (201, 3, "deployed")
    assert back.json()["restores"] == 1
    assert (await platform.get(f"{ROOT}/deployed")).json()["files"] == shipped_files()


async def test_going_back_does_not_wait_for_an_analysis(
    platform: httpx.AsyncClient, app: FastAPI, versions: FakeVersions
) -> None:
    """What was deployed before was analysed before, and whoever goes back is in a hurry."""
    await deployed(platform)
    await deployed(platform, b__cedar=permit("b"))
    strict = Checking(CedarCompiler(), FakeAnalysis(_OpposingAnalyser()), SIZES)
    app.state.administering = Administering(versions, strict, lambda: MOMENT)

    back = await platform.post(f"{ROOT}/rollback", json={"request_id": "x", "base": 2, "message": "m", "to": 1})

    assert back.status_code == 201


async def test_a_tenants_administrator_changes_the_files_of_that_tenant(
    platform: httpx.AsyncClient, acme: httpx.AsyncClient
) -> None:
    await deployed(platform)
    files = {"tenants/acme/a.cedar": permit("acme-own")}

    made = await acme.post(f"{ROOT}/versions", json={"request_id": "a", "base": 1, "message": "Ours", "files": files})

    assert (made.status_code, made.json()["tenant"]) == (201, "acme")
    assert (await acme.post(f"{ROOT}/versions/2/deploy")).status_code == 201
    assert (await platform.get(f"{ROOT}/deployed")).json()["files"] == shipped_files() | files


async def test_a_tenants_proposal_leaves_out_nothing_of_others(
    platform: httpx.AsyncClient, acme: httpx.AsyncClient
) -> None:
    """To leave a file out is to delete it, and others' files are not theirs to delete."""
    globex_file = {"tenants/globex/g.cedar": permit("g")}
    body = proposal()
    body["files"] |= globex_file
    await platform.post(f"{ROOT}/versions", json=body)
    await platform.post(f"{ROOT}/versions/1/deploy")
    ours = {"tenants/acme/a.cedar": permit("a")}
    await acme.post(f"{ROOT}/versions", json={"request_id": "a", "base": 1, "message": "m", "files": ours})

    whole = await platform.get(f"{ROOT}/versions/2")

    assert whole.json()["files"] == shipped_files() | globex_file | ours


@pytest.mark.parametrize("path", ["aeterna.cedar", "new.cedar", "tenants/globex/a.cedar", "tenants/acmeX/a.cedar"])
async def test_a_tenants_administrator_changes_nothing_else(
    platform: httpx.AsyncClient, acme: httpx.AsyncClient, path: str
) -> None:
    await deployed(platform)

    refused = await acme.post(
        f"{ROOT}/versions", json={"request_id": "a", "base": 1, "message": "m", "files": {path: permit("x")}}
    )

    assert (refused.status_code, refused.json()["code"]) == (403, "policies.file_forbidden")


@pytest.mark.parametrize("path", ["tenants/acme.cedar", "tenants/@/a.cedar"])
async def test_a_path_that_is_no_tenants_is_refused_and_no_failure_of_ours(
    platform: httpx.AsyncClient, acme: httpx.AsyncClient, path: str
) -> None:
    await deployed(platform)
    body = {"request_id": "one", "base": 1, "message": "m", "files": {path: permit("p")}}

    refused = await acme.post(f"{ROOT}/versions", json=body)

    assert (refused.status_code, refused.json()["code"]) == (422, "policies.refused")
    assert refused.json()["findings"][0]["file"] == path


async def test_a_tenant_may_send_the_shared_files_back_as_they_are(
    platform: httpx.AsyncClient, acme: httpx.AsyncClient
) -> None:
    await deployed(platform)
    files = (await acme.get(f"{ROOT}/deployed")).json()["files"] | {"tenants/acme/a.cedar": permit("a")}

    made = await acme.post(f"{ROOT}/versions", json={"request_id": "a", "base": 1, "message": "m", "files": files})

    assert made.status_code == 201


async def test_a_tenant_sees_nothing_of_another(
    acme: httpx.AsyncClient, globex: httpx.AsyncClient, platform: httpx.AsyncClient
) -> None:
    await deployed(platform)
    files = {"tenants/acme/secret.cedar": permit("secret-of-acme")}
    await acme.post(f"{ROOT}/versions", json={"request_id": "a", "base": 1, "message": "m", "files": files})
    await acme.post(f"{ROOT}/versions/2/deploy")

    answers = [
        await globex.get(f"{ROOT}/{path}")
        for path in ("versions", "versions/2", "versions/2/diff", "deployed", "audit", "versions/1")
    ]

    assert [answer.status_code for answer in answers] == [200, 404, 404, 200, 200, 404]
    assert not any("acme" in answer.text or "secret" in answer.text for answer in answers)


async def test_a_tenants_own_going_back_leaves_others_as_they_are(
    platform: httpx.AsyncClient, acme: httpx.AsyncClient
) -> None:
    await deployed(platform)
    for number, name in ((1, "first"), (2, "second")):
        files = {"tenants/acme/a.cedar": permit(name)}
        await acme.post(f"{ROOT}/versions", json={"request_id": name, "base": number, "message": "m", "files": files})
        await acme.post(f"{ROOT}/versions/{number + 1}/deploy")

    back = await acme.post(f"{ROOT}/rollback", json={"request_id": "b", "base": 3, "message": "m", "to": 2})

    assert back.status_code == 201
    files = (await platform.get(f"{ROOT}/deployed")).json()["files"]
    assert files == shipped_files() | {"tenants/acme/a.cedar": permit("first")}


async def test_a_diff_shows_each_file_that_changed(platform: httpx.AsyncClient) -> None:
    await deployed(platform)
    await deployed(platform, b__cedar=permit("b"))

    diff = (await platform.get(f"{ROOT}/versions/2/diff")).json()

    assert (diff["before"], diff["after"], diff["differences"]) == (1, 2, None)
    assert [(file["path"], file["change"]) for file in diff["files"]] == [("b.cedar", "added")]
    assert '+@id("b")' in diff["files"][0]["diff"]


async def test_a_diff_says_who_gains_and_who_loses_when_asked(platform: httpx.AsyncClient) -> None:
    await deployed(platform)
    await deployed(platform, b__cedar=permit("b"))

    diff = (await platform.get(f"{ROOT}/versions/2/diff", params={"effects": "true"})).json()

    assert diff["differences"] == []


async def test_listings_go_on_at_their_cursor(platform: httpx.AsyncClient) -> None:
    for number in range(3):
        await platform.post(f"{ROOT}/versions", json=proposal(f"r{number}"))
    first = (await platform.get(f"{ROOT}/versions", params={"limit": 2})).json()

    second = (await platform.get(f"{ROOT}/versions", params={"limit": 2, "cursor": first["next_cursor"]})).json()

    assert [one["version"] for one in first["versions"] + second["versions"]] == [3, 2, 1]
    assert second["next_cursor"] is None


async def test_the_audit_tells_who_did_what(platform: httpx.AsyncClient) -> None:
    await deployed(platform)

    found = (await platform.get(f"{ROOT}/audit")).json()["records"]

    assert [one["record"]["act"] for one in found] == ["version.deployed", "version.proposed"]
    assert (await platform.get(f"{ROOT}/audit/verification")).json()["holds"] is True


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "versions"),
        ("GET", "versions"),
        ("GET", "versions/1"),
        ("GET", "versions/1/diff"),
        ("POST", "versions/1/deploy"),
        ("POST", "rollback"),
        ("GET", "deployed"),
        ("GET", "audit"),
        ("GET", "audit/verification"),
    ],
)
async def test_nobody_but_an_administrator_gets_in(app: FastAPI, method: str, path: str) -> None:
    body: dict[str, Any] = proposal() if path == "versions" else {"request_id": "a", "base": 0, "message": "m", "to": 1}
    async with await _client(app, "writer") as client:
        answer = await client.request(method, f"{ROOT}/{path}", json=body if method == "POST" else None)

    assert (answer.status_code, answer.json()["code"]) == (403, "policy.denied")


async def test_a_sidecar_reads_the_deployed_bundle_signed(
    sidecar: httpx.AsyncClient, platform: httpx.AsyncClient
) -> None:
    await deployed(platform)

    answer = await sidecar.get("/v1/bundle")

    found = decode(answer.content)
    assert (found.version, dict(found.files)) == (1, shipped_files())
    assert answer.headers["etag"] == f'"{found.bundle().digest()}"'
    assert answer.headers["aeterna-signature"].startswith("fake;")
    assert answer.headers["content-type"] == "application/vnd.aeterna.bundle+json"


async def test_a_sidecar_that_has_the_bundle_is_told_so(
    sidecar: httpx.AsyncClient, platform: httpx.AsyncClient
) -> None:
    await deployed(platform)
    etag = (await sidecar.get("/v1/bundle")).headers["etag"]

    answer = await sidecar.get("/v1/bundle", headers={"If-None-Match": f'"other", W/{etag}'})

    assert (answer.status_code, answer.content) == (304, b"")


async def test_a_bundle_is_signed_once_for_each_version_and_key(
    sidecar: httpx.AsyncClient, platform: httpx.AsyncClient, signer: FakeSigner
) -> None:
    await deployed(platform)
    for key in ("fake", "fake", "rotated", "rotated"):
        signer.key = key
        await sidecar.get("/v1/bundle")

    assert signer.signed == 2


async def test_before_anything_is_deployed_there_is_no_bundle(sidecar: httpx.AsyncClient) -> None:
    answer = await sidecar.get("/v1/bundle")

    assert (answer.status_code, answer.json()["code"]) == (404, "policies.nothing_deployed")


async def test_where_a_token_is_asked_for_a_sidecar_must_show_it(
    app: FastAPI, sidecar: httpx.AsyncClient, platform: httpx.AsyncClient, tmp_path: Path
) -> None:
    await deployed(platform)
    app.state.bundle_token_file = tmp_path / "token"
    app.state.bundle_token_file.write_text("letmein\n", encoding="utf-8")

    statuses = [
        (await sidecar.get(path, headers=headers)).status_code
        for path in ("/v1/bundle", "/bundle.tar.gz")
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer letmein"})
    ]

    assert statuses == [401, 401, 200] * 2


async def test_a_token_file_that_is_away_or_empty_lets_nobody_in(
    app: FastAPI, sidecar: httpx.AsyncClient, tmp_path: Path
) -> None:
    (tmp_path / "empty").touch()
    statuses: list[int] = []
    for name in ("empty", "away"):
        app.state.bundle_token_file = tmp_path / name
        statuses.append((await sidecar.get("/v1/bundle", headers={"Authorization": "Bearer "})).status_code)

    assert statuses == [401, 401]


async def test_opal_reads_the_files_as_an_archive(sidecar: httpx.AsyncClient, platform: httpx.AsyncClient) -> None:
    await deployed(platform)

    answer = await sidecar.get("/bundle.tar.gz")

    with tarfile.open(fileobj=io.BytesIO(answer.content), mode="r:gz") as archive:
        files = {entry.name: archive.extractfile(entry) for entry in archive}
        texts = {name: file.read().decode() for name, file in files.items() if file is not None}
    assert texts == shipped_files()
    again = await sidecar.get("/bundle.tar.gz", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


async def test_replicas_are_counted_by_the_bundle_that_they_have(
    sidecar: httpx.AsyncClient, platform: httpx.AsyncClient
) -> None:
    for replica, digest in (("a", DIGEST), ("b", DIGEST), ("c", "nonsense"), ("no name!", DIGEST)):
        await sidecar.get("/v1/bundle", headers={"Aeterna-Replica": replica, "If-None-Match": f'"{digest}"'})

    assert (await platform.get("/v1/replicas")).json()["digests"] == {DIGEST: 2, "none": 1}
    metrics = (await sidecar.get("/metrics")).text
    assert f'aeterna_policies_replicas{{digest="{DIGEST}"}} 2.0' in metrics
    assert "aeterna_policies_replica_digests 2.0" in metrics


async def test_changes_are_counted_with_their_outcomes(platform: httpx.AsyncClient) -> None:
    await deployed(platform)
    await platform.post(f"{ROOT}/versions", json=proposal("late", b__cedar=permit("b")))

    metrics = (await platform.get("/metrics")).text

    assert 'aeterna_policies_changes_total{act="deploy",outcome="done"} 1.0' in metrics
    assert 'aeterna_policies_changes_total{act="propose",outcome="policies.version_conflict"} 1.0' in metrics
