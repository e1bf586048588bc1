"""Erasures and legal holds over HTTP, for administrators."""

# Without the postponed annotations that we have elsewhere: FastAPI reads these at run time.
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Path, Request

from aeterna.api.api.erasing_bodies import (
    ErasureBody,
    ErasureOrderBody,
    ErasuresAnswer,
    HoldBody,
    HoldOrderBody,
    HoldsAnswer,
    TargetBody,
    VerificationBody,
)
from aeterna.api.api.requests import graph_of, may_erase
from aeterna.graph.domain.identifiers import tenant_id
from aeterna.graph.usecases.erasing import Erasures
from aeterna.service.caller import Caller

if TYPE_CHECKING:
    from aeterna.graph.usecases.erasure_jobs import ErasureJobs

erasing = APIRouter(prefix="/api/v1/graph", tags=["erasure"])

Eraser = Annotated[Caller, Depends(may_erase)]
ErasureId = Annotated[
    str, Path(description="What the order answered.", examples=["6f1c2a9e-58d3-4c1b-9d70-2f4be0a1c377"])
]
HoldId = Annotated[
    str, Path(description="1 to 128 letters, digits and . _ -; no sign first.", examples=["case-2026-114"])
]


def _erasures(request: Request, caller: Caller) -> Erasures:
    return graph_of(request, caller).erasures


def _wake_jobs(request: Request, caller: Caller) -> None:
    jobs: ErasureJobs = request.app.state.erasure_jobs
    jobs.ordered(tenant_id(caller.tenant))


@erasing.post("/erasures", status_code=202)
def order_erasure(request: Request, caller: Eraser, body: ErasureOrderBody) -> ErasureBody:
    """Erase a subject, nodes or everything: hidden from every read when this answers, and gone for ever soon.

    Ask for the erasure by its id until it is `done`; then it is its certificate. A legal hold forbids it with 409.
    """
    id_ = None if body.erasure_id is None else str(body.erasure_id)
    erasure = _erasures(request, caller).order(body.target(), by=caller.subject, id_=id_)
    _wake_jobs(request, caller)
    return ErasureBody.of(erasure)


@erasing.get("/erasures")
def list_erasures(request: Request, caller: Eraser) -> ErasuresAnswer:
    """List every erasure of the tenant, oldest first."""
    return ErasuresAnswer(erasures=[ErasureBody.of(each) for each in _erasures(request, caller).erasures()])


@erasing.get("/erasures/{erasure_id}")
def read_erasure(request: Request, caller: Eraser, erasure_id: ErasureId) -> ErasureBody:
    """Return an erasure, which is a certificate when it is done."""
    return ErasureBody.of(_erasures(request, caller).erasure(erasure_id))


@erasing.post("/erasures/{erasure_id}/verify")
def verify_erasure(
    request: Request, caller: Eraser, erasure_id: ErasureId, body: TargetBody | None = None
) -> VerificationBody:
    """Look for what was erased in every byte that is left, and note the result on the certificate.

    The certificate does not know whom it is about: name the same subject and nodes again. It reads the whole table.
    """
    asked = None if body is None or body == TargetBody() else body.target()
    return VerificationBody.of(_erasures(request, caller).verify(erasure_id, asked))


@erasing.get("/holds")
def list_holds(request: Request, caller: Eraser) -> HoldsAnswer:
    """List the legal holds in force."""
    return HoldsAnswer(holds=[HoldBody.of(hold) for hold in _erasures(request, caller).holds()])


@erasing.get("/holds/{hold_id}")
def read_hold(request: Request, caller: Eraser, hold_id: HoldId) -> HoldBody:
    """Return a legal hold in force."""
    return HoldBody.of(_erasures(request, caller).hold_of(hold_id))


@erasing.put("/holds/{hold_id}")
def place_hold(request: Request, caller: Eraser, hold_id: HoldId, body: HoldOrderBody) -> HoldBody:
    """Forbid to erase what a subject committed, or anything of the tenant. Placing it again replaces it."""
    return HoldBody.of(
        _erasures(request, caller).hold(hold_id, subject=body.subject, reason=body.reason, by=caller.subject)
    )


@erasing.delete("/holds/{hold_id}", status_code=204)
def release_hold(request: Request, caller: Eraser, hold_id: HoldId) -> None:
    """End a legal hold: a pending erasure that it stopped goes on."""
    _erasures(request, caller).release(hold_id, by=caller.subject)
    _wake_jobs(request, caller)
