"""Upkeep of the caller's graph over HTTP: progress is streamed, and the last event is the report."""

# Without the postponed annotations that we have elsewhere: FastAPI reads these at run time.
import asyncio
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Annotated, Final, cast

from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse

from aeterna.api.api.requests import may_manage
from aeterna.api.api.upkeep_bodies import MaintenanceBody, ProgressBody, ReportBody
from aeterna.graph.domain.identifiers import tenant_id
from aeterna.graph.domain.upkeep import Progress
from aeterna.service.caller import Caller

if TYPE_CHECKING:
    from aeterna.graph.usecases.upkeep import Maintenance

upkeep = APIRouter(prefix="/api/v1/graph", tags=["graph"])

_PROGRESS_SECONDS: Final = 0.2  # between two events of one task
_QUIET_SECONDS: Final = 15.0  # after which a comment keeps the connection open


@upkeep.post(
    "/maintenance",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}, "description": "Events `progress`, then one `report`."}},
)
async def maintain(
    request: Request, caller: Annotated[Caller, Depends(may_manage)], body: MaintenanceBody
) -> StreamingResponse:
    """Back up, compact, expire or collect now, or see what that would do; the content of the graph stays the same.

    A round goes on when the caller goes away. While another round of the graph runs, the answer is 409.
    """
    maintenance = cast("Maintenance", request.app.state.maintenance)
    round_ = _Round(asyncio.get_running_loop())
    working = asyncio.create_task(
        asyncio.to_thread(maintenance.run, tenant_id(caller.tenant), body.order(), round_.watch)
    )
    working.add_done_callback(round_.ended)
    # The first sign of life comes when the round has begun; a refusal comes instead of it, as a problem.
    await round_.begun()
    if working.done():
        working.result()

    async def events() -> AsyncGenerator[str]:
        while (progress := await round_.next(_QUIET_SECONDS)) is not None or not working.done():
            yield ": waiting\n\n" if progress is None else _event("progress", ProgressBody.of(progress))
        yield _event("report", ReportBody.of(await working))

    # Proxies that buffer would hold the events back.
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(events(), media_type="text/event-stream", headers=headers)


class _Round:
    """What happens in a thread, handed over to the event loop: only the newest progress of each task counts."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._newest: Progress | None = None
        self._sent: tuple[str, float] = ("", 0.0)
        self._changed = asyncio.Event()
        self._ended = False

    def watch(self, progress: Progress) -> None:
        """Take progress from the thread."""
        self._loop.call_soon_threadsafe(self._take, progress)

    def ended(self, _working: object) -> None:
        """Wake whoever waits: there is nothing more to come."""
        self._ended = True
        self._changed.set()

    async def begun(self) -> None:
        """Wait for the first sign of life."""
        await self._changed.wait()

    async def next(self, patience: float) -> Progress | None:
        """Return progress that was not returned yet; None when nothing happened for so long, or it is over."""
        try:
            await asyncio.wait_for(self._changed.wait(), patience)
        except TimeoutError:
            return None
        progress, self._newest = self._newest, None
        if not self._ended:
            self._changed.clear()
        return progress

    def _take(self, progress: Progress) -> None:
        task, at = self._sent
        last = progress.total and progress.done >= progress.total
        if progress.task == task and not last and self._loop.time() - at < _PROGRESS_SECONDS:
            return
        self._sent = (progress.task, self._loop.time())
        self._newest = progress
        self._changed.set()


def _event(name: str, body: ProgressBody | ReportBody) -> str:
    return f"event: {name}\ndata: {body.model_dump_json()}\n\n"
