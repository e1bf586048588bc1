"""The peer of the admission benchmark: a mutating webhook as one would first write it in Python.

FastAPI with a pydantic model of the review, and jsonpatch to compare the pod with its injected copy. What is injected
is the same, so that only the way there differs.

usage: naive_webhook.py INSTALLATION WORKLOADS PORT CERTIFICATE KEY
"""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from typing import Any

import jsonpatch
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

from aeterna.contracts.injection import annotations_of, merged, parts, read_installation, tenant_of, wish
from aeterna.contracts.workloads import read_workloads

INSTALLATION = read_installation(Path(sys.argv[1]).read_text())
WORKLOADS = read_workloads(Path(sys.argv[2]).read_text())


class Request(BaseModel):
    """The request in a review."""

    uid: str
    namespace: str
    object: dict[str, Any]


class Review(BaseModel):
    """An AdmissionReview."""

    apiVersion: str  # noqa: N815 - the protocol's own name
    kind: str
    request: Request


app = FastAPI()


@app.get("/ready")
async def ready() -> None:
    """Answer the probe."""


@app.post("/inject")
async def inject(review: Review) -> dict[str, Any]:
    """Inject one pod."""
    pod, response = review.request.object, {"uid": review.request.uid, "allowed": True}
    asked = wish(annotations_of(pod))
    if asked is not None:
        tenant = tenant_of(asked, review.request.namespace, WORKLOADS)
        patch = jsonpatch.make_patch(pod, merged(pod, parts(asked, INSTALLATION, tenant=tenant)))
        response |= {"patchType": "JSONPatch", "patch": base64.b64encode(patch.to_string().encode()).decode()}
    return {"apiVersion": review.apiVersion, "kind": review.kind, "response": response}


if __name__ == "__main__":
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(sys.argv[3]),
        log_level="error",
        access_log=False,
        ssl_certfile=sys.argv[4],
        ssl_keyfile=sys.argv[5],
    )
