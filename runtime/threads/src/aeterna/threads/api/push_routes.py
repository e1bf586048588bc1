"""The routes by which agents register receivers of notifications, and the keys by which receivers check them."""

# Without the postponed annotations that we have elsewhere: FastAPI reads these at run time.
import re
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse

from aeterna.threads.api.access import AgentOfAll, PathTask
from aeterna.threads.api.push_bodies import PushConfigBody, PushConfigInput, PushConfigsBody
from aeterna.threads.domain.conversation import ID_PATTERN
from aeterna.threads.domain.push import ConfigId
from aeterna.threads.domain.task import AgentId
from aeterna.threads.errors import PushUnavailableError, TaskNotFoundError
from aeterna.threads.ports import PushConfigs
from aeterna.threads.usecases.push_registry import PushRegistry

Owner = Annotated[str, Query(min_length=1, max_length=255)]

router = APIRouter(tags=["push"])


def _registry(request: Request) -> PushRegistry:
    registry = cast("PushRegistry | None", request.app.state.push_registry)
    if registry is None:
        raise PushUnavailableError
    return registry


def _configs(request: Request) -> PushConfigs:
    return cast("PushConfigs", request.app.state.push_configs)


def _path_config(request: Request) -> ConfigId:
    """Return the configuration that the path names; a malformed id names none."""
    config_id = request.path_params["config_id"]
    if not re.fullmatch(ID_PATTERN, config_id):
        raise TaskNotFoundError(config_id)
    return ConfigId(config_id)


TheRegistry = Annotated[PushRegistry, Depends(_registry)]
TheConfigs = Annotated[PushConfigs, Depends(_configs)]
PathConfig = Annotated[ConfigId, Depends(_path_config)]


@router.put("/api/v1/tasks/{task_id}/push/{config_id}")
async def put_push_config(
    task_id: PathTask, config_id: PathConfig, body: PushConfigInput, caller: AgentOfAll, registry: TheRegistry
) -> PushConfigBody:
    """Have a receiver told of what happens in the task from now on; the same id again replaces it."""
    kept = await registry.put(
        caller.tenant,
        AgentId(caller.subject),
        task_id,
        config_id,
        owner=body.owner,
        url=body.url,
        scheme=body.scheme,
        secrets=body.secrets(),
    )
    return PushConfigBody.of(kept)


@router.get("/api/v1/tasks/{task_id}/push")
async def list_push_configs(
    task_id: PathTask, owner: Owner, caller: AgentOfAll, configs: TheConfigs
) -> PushConfigsBody:
    """Return the receivers of the task, without their secrets."""
    found = await configs.configs(caller.tenant, AgentId(caller.subject), task_id, owner=owner)
    return PushConfigsBody(configs=[PushConfigBody.of(config) for config in found])


@router.delete("/api/v1/tasks/{task_id}/push/{config_id}", status_code=204)
async def delete_push_config(
    task_id: PathTask, config_id: PathConfig, owner: Owner, caller: AgentOfAll, configs: TheConfigs
) -> None:
    """Tell a receiver nothing more, not even what is still to be told; does nothing where there is none."""
    await configs.delete(caller.tenant, AgentId(caller.subject), task_id, config_id, owner=owner)


@router.get("/.well-known/jwks.json", response_class=JSONResponse)
async def read_notification_keys(request: Request) -> JSONResponse:
    """Return the public keys of notifications; for anybody, without a token."""
    keys = cast("object", request.app.state.push_jwks)
    return JSONResponse(keys, headers={"Cache-Control": "public, max-age=300"}, media_type="application/jwk-set+json")
