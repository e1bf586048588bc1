"""What each route may rely on: a caller whom the policy let in, how far their word reaches, and the use cases."""

# Without the postponed annotations that we have elsewhere: FastAPI reads these at run time.
import hmac
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Final

from fastapi import Depends, Header, Request

from aeterna.policies.domain.scope import Scope
from aeterna.policies.domain.versions import Author
from aeterna.policies.errors import BundleTokenError
from aeterna.policies.ports import Analysis, Audit, Versions
from aeterna.policies.usecases.administering import Administering
from aeterna.policies.usecases.publishing import Publishing
from aeterna.policies.usecases.replicas import Replicas
from aeterna.service.access import permitted
from aeterna.service.caller import Caller
from aeterna.service.decision import Resource

if TYPE_CHECKING:
    from pathlib import Path

_EVERYTHING: Final = "all"
_SCHEME: Final = "bearer "


def _scope(request: Request, caller: Caller) -> Scope:
    return Scope(tenant=caller.tenant, platform=caller.tenant == request.app.state.platform_tenant)


def _policies(request: Request, caller: Caller) -> Resource:
    identifier = _EVERYTHING if _scope(request, caller).platform else caller.tenant
    return Resource(type="Policies", id=identifier, tenant=caller.tenant)


def _acting(action: str) -> Callable[..., Awaitable[Author]]:
    may = permitted(action, _policies)

    async def author(request: Request, caller: Annotated[Caller, Depends(may)]) -> Author:
        return Author(subject=caller.subject, kind=caller.kind, scope=_scope(request, caller))

    return author


def _bundle_token(request: Request, authorization: Annotated[str | None, Header()] = None) -> None:
    """Raise `BundleTokenError` unless the reader shows the token, where one is asked for; runs in a thread.

    The file is read each time, so that the token can be replaced; one that is empty or away lets nobody in.
    """
    file: Path | None = request.app.state.bundle_token_file
    if file is None:
        return
    shown = authorization or ""
    try:
        token = file.read_text(encoding="utf-8").strip()
    except OSError:
        raise BundleTokenError from None
    given = shown[len(_SCHEME) :].strip() if shown[: len(_SCHEME)].lower() == _SCHEME else ""
    # In constant time, so that the answer's time says nothing of how much of a guess was right.
    if not token or not hmac.compare_digest(given.encode(), token.encode()):
        raise BundleTokenError


def _administering(request: Request) -> Administering:
    return request.app.state.administering


def _versions(request: Request) -> Versions:
    return request.app.state.versions


def _audit(request: Request) -> Audit:
    return request.app.state.audit


def _analysis(request: Request) -> Analysis:
    return request.app.state.analysis


def _publishing(request: Request) -> Publishing:
    return request.app.state.publishing


def _replicas(request: Request) -> Replicas:
    return request.app.state.replicas


Reader = Annotated[Author, Depends(_acting("policies.read"))]
Proposer = Annotated[Author, Depends(_acting("policies.propose"))]
Deployer = Annotated[Author, Depends(_acting("policies.deploy"))]
WithBundleToken = Depends(_bundle_token)
TheAdministering = Annotated[Administering, Depends(_administering)]
TheVersions = Annotated[Versions, Depends(_versions)]
TheAudit = Annotated[Audit, Depends(_audit)]
TheAnalysis = Annotated[Analysis, Depends(_analysis)]
ThePublishing = Annotated[Publishing, Depends(_publishing)]
TheReplicas = Annotated[Replicas, Depends(_replicas)]
