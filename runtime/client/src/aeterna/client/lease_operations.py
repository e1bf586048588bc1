"""The calls about leases: how each is asked and how its answer is read."""

from __future__ import annotations

from aeterna.client.errors import InvalidArgumentError
from aeterna.client.lease_values import FreedLease, StuckPage, StuckTask
from aeterna.client.operation import Operation, Reply, query, segment
from aeterna.client.reader import Reader

ROOT = "/api/v1/leases"


def stuck(*, limit: int | None, cursor: str | None) -> Operation[StuckPage]:
    """Read one page of stuck tasks."""
    parameters = query(limit=limit, cursor=cursor)
    return Operation(service="threads", method="GET", path=f"{ROOT}/stuck", query=parameters, parse=_page)


def free(task_id: str) -> Operation[FreedLease]:
    """Take a lease away. Not repeated by itself: the second time it is somebody else's."""
    if not task_id:
        raise InvalidArgumentError("task_id", "is empty")
    return Operation(service="threads", method="POST", path=f"{ROOT}/{segment(task_id)}/free", parse=_freed)


def _page(reply: Reply) -> StuckPage:
    fields = Reader.of(reply.body, "stuck tasks")
    return StuckPage(
        tasks=tuple(_stuck(item) for item in fields.readers("tasks")),
        next_cursor=fields.optional_text("next_cursor"),
    )


def _stuck(fields: Reader) -> StuckTask:
    return StuckTask(
        task_id=fields.text("task_id"),
        owner=fields.text("owner"),
        agent=fields.text("agent"),
        runner=fields.optional_text("runner"),
        runner_alive=fields.flag("runner_alive"),
        epoch=fields.integer("epoch"),
        attempts=fields.integer("attempts"),
        waiting_since=fields.time("waiting_since"),
    )


def _freed(reply: Reply) -> FreedLease:
    fields = Reader.of(reply.body, "freed lease")
    return FreedLease(
        task_id=fields.text("task_id"),
        owner=fields.text("owner"),
        agent=fields.text("agent"),
        epoch=fields.integer("epoch"),
        version=fields.integer("version"),
    )
