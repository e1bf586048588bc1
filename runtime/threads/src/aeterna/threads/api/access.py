"""What each route may rely on: a caller whom the policy let in, a well-formed thread id, the store and the streams."""

# Without the postponed annotations that we have elsewhere: FastAPI reads these at run time.
import re
from typing import Annotated, cast

from fastapi import Depends, Request

from aeterna.service.access import permitted
from aeterna.service.caller import Caller
from aeterna.service.decision import Resource
from aeterna.service.errors import PermissionDeniedError
from aeterna.threads.api.streams import Streams
from aeterna.threads.domain.conversation import ID_PATTERN, ThreadId
from aeterna.threads.errors import TaskNotFoundError, ThreadNotFoundError
from aeterna.threads.ports import ThreadStore

# The listing, and the opening of a thread whose id is still in the body, act on all threads of the tenant.
ALL_THREADS = "*"

# What does not block is a coroutine although it awaits nothing: FastAPI runs a plain function in a thread, and a change
# of threads costs more than the rest of a route.


def _path_thread(request: Request) -> ThreadId:
    """Return the thread that the path names; a malformed id names none, and nobody downstream need see it."""
    thread_id = ThreadId(request.path_params["thread_id"])
    if not re.fullmatch(ID_PATTERN, thread_id):
        raise ThreadNotFoundError(thread_id)
    return thread_id


async def _thread_of_path(request: Request) -> ThreadId:
    return _path_thread(request)


async def _path_task(request: Request) -> ThreadId:
    """Return the task that the path names; as with threads, a malformed id names none."""
    task_id = ThreadId(request.path_params["task_id"])
    if not re.fullmatch(ID_PATTERN, task_id):
        raise TaskNotFoundError(task_id)
    return task_id


def _one(request: Request, caller: Caller) -> Resource:
    return Resource(type="Thread", id=_path_thread(request), tenant=caller.tenant)


def _all(_request: Request, caller: Caller) -> Resource:
    return Resource(type="Thread", id=ALL_THREADS, tenant=caller.tenant)


async def _store(request: Request) -> ThreadStore:
    return cast("ThreadStore", request.app.state.store)


async def _streams(request: Request) -> Streams:
    return cast("Streams", request.app.state.streams)


async def _agent(caller: Annotated[Caller, Depends(permitted("threads.run", _all))]) -> Caller:
    """Return the agent that calls: a person runs no tasks, whatever an installation's own policies permit."""
    if caller.kind != "Agent":
        raise PermissionDeniedError("threads.run", f"Thread {ALL_THREADS!r}")
    return caller


ReaderOfOne = Annotated[Caller, Depends(permitted("threads.read", _one))]
ReaderOfAll = Annotated[Caller, Depends(permitted("threads.read", _all))]
WriterOfOne = Annotated[Caller, Depends(permitted("threads.write", _one))]
WriterOfAll = Annotated[Caller, Depends(permitted("threads.write", _all))]
AgentOfAll = Annotated[Caller, Depends(_agent)]
OperatorOfAll = Annotated[Caller, Depends(permitted("threads.operate", _all))]
EraserOfAll = Annotated[Caller, Depends(permitted("threads.erase", _all))]
PathTask = Annotated[ThreadId, Depends(_path_task)]
PathThread = Annotated[ThreadId, Depends(_thread_of_path)]
TheStore = Annotated[ThreadStore, Depends(_store)]
TheStreams = Annotated[Streams, Depends(_streams)]
