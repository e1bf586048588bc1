"""The peer of the policy benchmark: a decision endpoint as one would first write it.

FastAPI with pydantic models, and cedarpy with text arguments, on the same uvicorn, loop and parser as the sidecar.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import cedarpy
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

BUNDLE = Path(sys.argv[1])
POLICIES = "\n".join(path.read_text() for path in BUNDLE.glob("*.cedar"))
SCHEMA = "\n".join(path.read_text() for path in BUNDLE.glob("*.cedarschema"))
ENTITIES = (BUNDLE / "entities.json").read_text()


class Entity(BaseModel):
    """A subject or a resource."""

    type: str
    id: str
    properties: dict[str, Any] = {}


class Action(BaseModel):
    """An action."""

    name: str


class Evaluation(BaseModel):
    """An AuthZEN request."""

    subject: Entity
    action: Action
    resource: Entity
    context: dict[str, Any] = {}


class Answer(BaseModel):
    """An AuthZEN response."""

    decision: bool
    context: dict[str, list[str]]


app = FastAPI()


@app.get("/ready")
async def ready() -> None:
    """Answer the probe."""


@app.post("/access/v1/evaluation")
async def evaluate(asked: Evaluation) -> Answer:
    """Evaluate with everything as text, parsed anew for each question."""
    result = cedarpy.is_authorized(
        {
            "principal": {"type": f"Aeterna::{asked.subject.type}", "id": asked.subject.id},
            "action": {"type": "Aeterna::Action", "id": asked.action.name},
            "resource": {"type": f"Aeterna::{asked.resource.type}", "id": asked.resource.id},
            "context": asked.context,
        },
        POLICIES,
        ENTITIES,
        SCHEMA,
    )
    return Answer(
        decision=result.allowed, context={"policies": result.diagnostics.reasons, "errors": result.diagnostics.errors}
    )


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="error", access_log=False)
