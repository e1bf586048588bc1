"""The AdmissionReview of Kubernetes, ``admission.k8s.io/v1``: read, and answered."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import orjson

from aeterna.contracts.json_value import is_object
from aeterna.injector.domain.admission import Admission, PodRequest, Result
from aeterna.injector.errors import ReviewMalformedError

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION: Final = "admission.k8s.io/v1"
KIND: Final = "AdmissionReview"
_MAX_UID: Final = 128
# Kubernetes cuts a warning there, and drops all of them once they are 4096 together.
_MAX_WARNING: Final = 256
_FORBIDDEN: Final = 403


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A review: its id, and the pod, or None where something else is reviewed, or the pod is not being created."""

    uid: str
    request: PodRequest | None


def read(body: bytes) -> Review:
    """Read a review; raise `ReviewMalformedError`, with its id where one could be found."""
    try:
        document: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise ReviewMalformedError("it is not JSON") from None
    if not is_object(document):
        raise ReviewMalformedError("it is not an object")
    request = document.get("request")
    if not is_object(request):
        raise ReviewMalformedError("it has no request")
    uid = request.get("uid")
    if not isinstance(uid, str) or not 0 < len(uid) <= _MAX_UID:
        raise ReviewMalformedError("its request has no uid")
    if document.get("apiVersion") != VERSION or document.get("kind") != KIND:
        raise ReviewMalformedError(f"it is not an {KIND} of {VERSION}", uid=uid)
    return Review(uid=uid, request=_pod(request, uid))


def _pod(request: Mapping[str, object], uid: str) -> PodRequest | None:
    resource = request.get("resource")
    reviewed = resource.get("resource") if is_object(resource) else None
    if request.get("operation") != "CREATE" or reviewed != "pods" or request.get("subResource"):
        return None
    namespace, pod = request.get("namespace"), request.get("object")
    if not isinstance(namespace, str) or not namespace:
        raise ReviewMalformedError("its request has no namespace", uid=uid)
    if not is_object(pod):
        raise ReviewMalformedError("its request has no object", uid=uid)
    return PodRequest(namespace=namespace, pod=pod)


def answer(uid: str, admission: Admission) -> bytes:
    """Return the review that says what becomes of the pod."""
    response: dict[str, object] = {
        "uid": uid,
        "allowed": admission.allowed,
        "auditAnnotations": {"result": admission.result.value, "reason": admission.reason},
    }
    if admission.patch:
        response["patchType"] = "JSONPatch"
        response["patch"] = base64.b64encode(orjson.dumps(admission.patch)).decode("ascii")
    if admission.message is not None and admission.allowed:
        response["warnings"] = [f"aeterna: {admission.message}"[:_MAX_WARNING]]
    if admission.result in {Result.DENIED, Result.UNCHANGED}:
        # Where it is allowed the server reads no status; a person who reads its audit log may.
        message = f"{admission.reason}: {admission.message}"
        response["status"] = {"code": _FORBIDDEN, "reason": "Forbidden", "message": message}
    return orjson.dumps({"apiVersion": VERSION, "kind": KIND, "response": response})
