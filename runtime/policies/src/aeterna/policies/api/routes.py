"""The routes of administrators, under ``/api/v1/policies``."""

# Without the postponed annotations that we have elsewhere: FastAPI reads these at run time.
import asyncio
import time
from collections.abc import Awaitable, Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request, Response

from aeterna.contracts.errors import AeternaError
from aeterna.policies.api.access import (
    Deployer,
    Proposer,
    Reader,
    TheAdministering,
    TheAnalysis,
    TheAudit,
    TheVersions,
)
from aeterna.policies.api.bodies import (
    MAX_NUMBER,
    ContentBody,
    DeployedBody,
    DiffBody,
    ProposalInput,
    RecordBody,
    RecordsBody,
    RollbackInput,
    VerificationBody,
    VersionBody,
    VersionsBody,
)
from aeterna.policies.domain.diffs import file_diffs
from aeterna.policies.domain.reports import differences_json
from aeterna.policies.domain.versions import Written

Limit = Annotated[int, Query(ge=1, le=200)]
# A place in a listing is a number; to clients it is a text without meaning.
Cursor = Annotated[str | None, Query(pattern=r"^[1-9][0-9]{0,17}$")]
Effects = Annotated[bool, Query(description="Also say who gains and who loses, with example requests.")]
AcceptUndecided = Annotated[bool, Query(description="Deploy it although the analysis left questions open.")]
Number = Annotated[int, Path(ge=1, le=MAX_NUMBER)]
_REPEATED: Final[dict[int | str, dict[str, object]]] = {
    200: {"model": VersionBody, "description": "An equal request did this before; nothing was written."}
}

router = APIRouter(prefix="/api/v1/policies", tags=["policies"])


@router.post("/versions", status_code=201, responses=_REPEATED)
async def propose(
    request: Request, body: ProposalInput, author: Proposer, administering: TheAdministering, response: Response
) -> VersionBody:
    """Propose files as a version; it is checked and analysed, and refused with every finding if it must not decide."""
    return await _changed(request, response, "propose", administering.propose(author, body.proposal()))


@router.get("/versions")
async def list_versions(
    author: Reader, versions: TheVersions, limit: Limit = 50, cursor: Cursor = None
) -> VersionsBody:
    """List the versions of the caller's tenant, newest first; the platform's administrators see all."""
    # One more than asked for tells whether there is a next page.
    found = await versions.versions(author.scope, before=int(cursor) if cursor else None, limit=limit + 1)
    page = found[:limit]
    return VersionsBody(
        versions=[VersionBody.of(version) for version in page],
        next_cursor=str(page[-1].number) if len(found) > limit else None,
    )


@router.get("/versions/{number}")
async def read_version(number: Number, author: Reader, versions: TheVersions) -> ContentBody:
    """Return one version with its files and findings."""
    return ContentBody.with_content(await versions.content(author.scope, number))


@router.get("/versions/{number}/diff")
async def diff(
    number: Number,
    author: Reader,
    versions: TheVersions,
    analysis: TheAnalysis,
    against: Annotated[int | None, Query(ge=0, le=MAX_NUMBER, description="By default what it stood on.")] = None,
    effects: Effects = False,  # noqa: FBT002 - a query parameter has a name
) -> DiffBody:
    """Return what differs between a version and the one that it was proposed on, or another one."""
    after = await versions.content(author.scope, number)
    earlier = after.version.base if against is None else against
    if earlier not in {0, after.version.base}:
        await versions.version(author.scope, earlier)
    # What a version stood on may be another tenant's; of that the caller sees files, and not who made it.
    whole = await versions.whole(earlier) if earlier else None
    differences: Sequence[Mapping[str, object]] | None = None
    if effects and whole is not None:
        found = await analysis.compare(whole.bundle(), (await versions.whole(number)).bundle())
        differences = differences_json(found, author.scope)
    before = author.scope.seen(whole.files) if whole is not None else {}
    files = await asyncio.to_thread(file_diffs, before, after.files)
    return DiffBody.of(earlier, number, files, differences)


@router.post("/versions/{number}/deploy", status_code=201, responses=_REPEATED)
async def deploy(
    request: Request,
    number: Number,
    author: Deployer,
    administering: TheAdministering,
    response: Response,
    accept_undecided: AcceptUndecided = False,  # noqa: FBT002 - a query parameter has a name
) -> VersionBody:
    """Make a version the one that decides, if what is deployed is still what it was proposed on."""
    return await _changed(
        request, response, "deploy", administering.deploy(author, number, accept_undecided=accept_undecided)
    )


@router.post("/rollback", status_code=201, responses=_REPEATED)
async def roll_back(
    request: Request, body: RollbackInput, author: Deployer, administering: TheAdministering, response: Response
) -> VersionBody:
    """Deploy the files of an earlier version as a new version."""
    return await _changed(request, response, "rollback", administering.go_back(author, body.wish()))


@router.get("/deployed")
async def read_deployed(author: Reader, administering: TheAdministering) -> DeployedBody:
    """Return what decides now, with the files that are the caller's to see."""
    return DeployedBody.of(await administering.deployed(author.scope))


@router.get("/audit")
async def read_audit(author: Reader, audit: TheAudit, limit: Limit = 50, cursor: Cursor = None) -> RecordsBody:
    """Return who changed what and when, newest first."""
    found = await audit.page(author.scope, before=int(cursor) if cursor else None, limit=limit + 1)
    page = found[:limit]
    return RecordsBody(
        records=[RecordBody.of(one) for one in page], next_cursor=str(page[-1].seq) if len(found) > limit else None
    )


@router.get("/audit/verification")
async def verify_audit(_author: Reader, audit: TheAudit) -> VerificationBody:
    """Follow the audit's chain from its first record to its last, and say whether it holds."""
    return VerificationBody.of(await audit.verify())


async def _changed(request: Request, response: Response, act: str, change: Awaitable[Written]) -> VersionBody:
    """Await a change, count it with its outcome, and answer 200 instead of 201 when it had been done before."""
    begun, outcome = time.perf_counter(), "unforeseen"
    try:
        written = await change
        outcome = "done" if written.created else "repeated"
    except AeternaError as exc:
        outcome = exc.code
        raise
    finally:
        request.app.state.changed(act, outcome, time.perf_counter() - begun)
    if not written.created:
        response.status_code = HTTPStatus.OK
    return VersionBody.of(written.version)
