"""Legal holds, erasures and their audit over HTTP, for administrators (the action ``threads.erase``)."""

# Without the postponed annotations that we have elsewhere: FastAPI reads these at run time.
from datetime import UTC, datetime
from typing import Annotated, cast
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Path, Query, Request

from aeterna.threads.api.access import EraserOfAll
from aeterna.threads.api.bodies import Seq
from aeterna.threads.api.retention_bodies import (
    AuditBody,
    AuditRecordBody,
    ErasureBody,
    ErasureInput,
    ErasuresBody,
    HoldBody,
    HoldInput,
    HoldsBody,
)
from aeterna.threads.domain.conversation import ThreadId
from aeterna.threads.domain.holds import hold_of
from aeterna.threads.errors import ErasureNotFoundError
from aeterna.threads.ports import Retention
from aeterna.threads.usecases.cleanup import Cleanup

Limit = Annotated[int, Query(ge=1, le=500)]
HoldId = Annotated[str, Path(description="1 to 128 letters, digits and . _ -; no sign first.", examples=["case-114"])]


def _retention(request: Request) -> Retention:
    return cast("Retention", request.app.state.retention)


def _cleanup(request: Request) -> Cleanup:
    return cast("Cleanup", request.app.state.cleanup)


def _path_erasure(request: Request) -> UUID:
    """Return the erasure that the path names; what is no UUID names none."""
    text = request.path_params["erasure_id"]
    try:
        return UUID(text)
    except ValueError:
        raise ErasureNotFoundError(text) from None


TheRetention = Annotated[Retention, Depends(_retention)]
TheCleanup = Annotated[Cleanup, Depends(_cleanup)]
PathErasure = Annotated[UUID, Depends(_path_erasure)]

router = APIRouter(prefix="/api/v1", tags=["retention"])


@router.post("/erasures", status_code=202)
async def order_erasure(
    body: ErasureInput, caller: EraserOfAll, retention: TheRetention, cleanup: TheCleanup
) -> ErasureBody:
    """Erase a subject, a thread or everything of the tenant; ask by the id until it is `done`.

    The same order with the same id is the same erasure. A legal hold forbids it with 409.
    """
    erasure = await retention.order(caller.tenant, body.erasure_id or uuid4(), body.target(), by=caller.subject)
    cleanup.ordered()
    return ErasureBody.of(erasure)


@router.get("/erasures")
async def list_erasures(caller: EraserOfAll, retention: TheRetention, limit: Limit = 50) -> ErasuresBody:
    """List the tenant's erasures, the newest first."""
    found = await retention.erasures(caller.tenant, limit=limit)
    return ErasuresBody(erasures=[ErasureBody.of(erasure) for erasure in found])


@router.get("/erasures/{erasure_id}")
async def read_erasure(erasure_id: PathErasure, caller: EraserOfAll, retention: TheRetention) -> ErasureBody:
    """Return an erasure, which is a certificate when it is done."""
    return ErasureBody.of(await retention.erasure(caller.tenant, erasure_id))


@router.get("/holds")
async def list_holds(caller: EraserOfAll, retention: TheRetention) -> HoldsBody:
    """List the legal holds in force."""
    return HoldsBody(holds=[HoldBody.of(hold) for hold in await retention.holds(caller.tenant)])


@router.put("/holds/{hold_id}")
async def place_hold(hold_id: HoldId, body: HoldInput, caller: EraserOfAll, retention: TheRetention) -> HoldBody:
    """Forbid to remove a thread, what a subject owns and wrote, or anything. Placing it again replaces it."""
    hold = hold_of(
        hold_id,
        thread_id=None if body.thread_id is None else ThreadId(body.thread_id),
        subject=body.subject,
        reason=body.reason,
        by=caller.subject,
        at=datetime.now(UTC),
    )
    return HoldBody.of(await retention.place(caller.tenant, hold))


@router.delete("/holds/{hold_id}", status_code=204)
async def release_hold(hold_id: HoldId, caller: EraserOfAll, retention: TheRetention, cleanup: TheCleanup) -> None:
    """End a legal hold: what has expired under it is removed, and an erasure that it stopped goes on."""
    await retention.release(caller.tenant, hold_id, by=caller.subject)
    cleanup.ordered()


@router.get("/audit")
async def read_audit(caller: EraserOfAll, retention: TheRetention, after: Seq = 0, limit: Limit = 100) -> AuditBody:
    """Return what was ordered and done about holds and erasures, in the order of the chain."""
    found = await retention.audit(caller.tenant, after=after, limit=limit + 1)
    page = found[:limit]
    return AuditBody(
        records=[AuditRecordBody.of(record) for record in page],
        next_after=page[-1].number if len(found) > limit else None,
    )
