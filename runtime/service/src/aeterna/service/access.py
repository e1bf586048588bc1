"""Who may call a route: FastAPI dependencies that prove the caller and ask the policy before anything is done."""

# Without the postponed annotations that we have elsewhere: FastAPI reads these at run time.
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Final, cast

import structlog
from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPBearer

from aeterna.service.asgi import header
from aeterna.service.caller import Caller
from aeterna.service.decision import Resource
from aeterna.service.errors import PermissionDeniedError, TokenMissingError
from aeterna.service.ports import RememberingVerifier

if TYPE_CHECKING:
    from aeterna.service.ports import DecisionPoint, TokenVerifier

_SCHEME: Final = b"bearer "

log = structlog.stdlib.get_logger(__name__)

# For the OpenAPI document only; the header itself is read below, where a second one is not silently ignored.
_documented = HTTPBearer(auto_error=False, bearerFormat="JWT", description="A JWT that names a tenant.")


async def caller(request: Request, _scheme: Annotated[object, Depends(_documented)] = None) -> Caller:
    """Return who is calling, proven by the request's bearer token; what must be verified is in a thread: it may block.

    A change of threads costs more than everything else here, so that a token that was seen lately makes none.
    """
    verifier = cast("TokenVerifier", request.app.state.verifier)
    token = _bearer_token(request)
    proven = verifier.remembered(token) if isinstance(verifier, RememberingVerifier) else None
    if proven is None:
        proven = await run_in_threadpool(verifier.verify, token)
    request.state.caller = proven
    return proven


def permitted(action: str, resource_of: Callable[[Request, Caller], Resource]) -> Callable[..., Awaitable[Caller]]:
    """Return a dependency that yields the caller when the policy lets them do the action on the request's resource.

    It raises `PermissionDeniedError` on a deny and `DecisionUnavailableError` when nobody can say.
    """

    async def decided(request: Request, proven: Annotated[Caller, Depends(caller)]) -> Caller:
        decisions = cast("DecisionPoint", request.app.state.decisions)
        resource = resource_of(request, proven)
        decision = await decisions.decide(proven, action, resource)
        if not decision.allowed:
            log.info(
                "policy.denied",
                action=action,
                resource_type=resource.type,
                tenant=proven.tenant,
                policies=decision.policies,
                epoch=decision.epoch,
            )
            raise PermissionDeniedError(action, f"{resource.type} {resource.id!r}")
        return proven

    return decided


def _bearer_token(request: Request) -> str:
    value = header(request.scope, b"authorization") or b""
    if not value[: len(_SCHEME)].lower() == _SCHEME:
        raise TokenMissingError
    token = value[len(_SCHEME) :].strip()
    if not token:
        raise TokenMissingError
    return token.decode("latin-1")
