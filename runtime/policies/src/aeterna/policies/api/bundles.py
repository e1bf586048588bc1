"""The routes of sidecars and of OPAL: the deployed bundle, and which replicas have it."""

# Without the postponed annotations that we have elsewhere: FastAPI reads these at run time.
from typing import Annotated, Final

from fastapi import APIRouter, Header, Response

from aeterna.cedar.domain.signed_bundle import MEDIA_TYPE, SIGNATURE_HEADER
from aeterna.policies.api.access import Reader, ThePublishing, TheReplicas, WithBundleToken
from aeterna.policies.api.bodies import ReplicasBody
from aeterna.policies.usecases.publishing import Published

_GZIP: Final = "application/gzip"
_UNCHANGED: Final = 304

bundles = APIRouter(tags=["bundles"])

IfNoneMatch = Annotated[str | None, Header(description="The ETags of the bundles that you have.")]


@bundles.get(
    "/v1/bundle",
    dependencies=[WithBundleToken],
    response_class=Response,
    responses={
        200: {"content": {MEDIA_TYPE: {}}, "description": "The deployed bundle, signed"},
        304: {"description": "You have it already"},
    },
)
async def read_bundle(
    publishing: ThePublishing,
    replicas: TheReplicas,
    if_none_match: IfNoneMatch = None,
    aeterna_replica: Annotated[str | None, Header(description="Your name, by which replicas are counted.")] = None,
) -> Response:
    """Return the deployed bundle as a signed document; ask with the ETag that you have."""
    known = _etags(if_none_match)
    replicas.saw(aeterna_replica, known[0] if known else None)
    return _answer(await publishing.signed(), known, MEDIA_TYPE)


@bundles.get(
    "/bundle.tar.gz",
    dependencies=[WithBundleToken],
    response_class=Response,
    responses={
        200: {"content": {_GZIP: {}}, "description": "The deployed bundle's files"},
        304: {"description": "You have it already"},
    },
)
async def read_archive(publishing: ThePublishing, if_none_match: IfNoneMatch = None) -> Response:
    """Return the deployed bundle's files, in the form that an OPAL server takes from an API policy source."""
    return _answer(await publishing.packed(), _etags(if_none_match), _GZIP)


@bundles.get("/v1/replicas")
async def read_replicas(_author: Reader, replicas: TheReplicas) -> ReplicasBody:
    """Return which replica was lately heard with which bundle."""
    return ReplicasBody(replicas=dict(replicas.current()), digests=dict(replicas.by_digest()))


def _etags(header: str | None) -> list[str]:
    """Return the digests in an ``If-None-Match`` (RFC 9110, 13.1.2), weak ones too."""
    tags = [tag.strip().removeprefix("W/").strip('"') for tag in (header or "").split(",")]
    return [tag for tag in tags if tag]


def _answer(published: Published, known: list[str], media_type: str) -> Response:
    headers = {"ETag": f'"{published.digest}"', "Cache-Control": "no-cache"}
    if published.digest in known or "*" in known:
        return Response(status_code=_UNCHANGED, headers=headers)
    if published.signature is not None:
        headers[SIGNATURE_HEADER] = published.signature
    return Response(published.body, headers=headers, media_type=media_type)
