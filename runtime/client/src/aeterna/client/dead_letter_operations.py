"""The calls about dead letters: how each is asked and how its answer is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.client.dead_letter_values import DeadLetter, DeadLetterPage
from aeterna.client.errors import InvalidArgumentError
from aeterna.client.operation import Operation, Reply, query, segment
from aeterna.client.reader import Reader

if TYPE_CHECKING:
    from aeterna.client.json_value import JsonValue

ROOT = "/api/v1/dead-letters"


def dead_letters(
    *, task_id: str | None, config_id: str | None, limit: int | None, cursor: str | None
) -> Operation[DeadLetterPage]:
    """Read one page of dead letters."""
    _require_task(task_id, config_id)
    parameters = query(task_id=task_id, config_id=config_id, limit=limit, cursor=cursor)
    return Operation(service="threads", method="GET", path=ROOT, query=parameters, parse=_page)


def dead_letter(letter_id: str) -> Operation[DeadLetter]:
    """Read one dead letter."""
    return Operation(service="threads", method="GET", path=_path(letter_id), parse=_letter_reply)


def replay(letter_id: str) -> Operation[int]:
    """Have one sent again. Not repeated by itself: the second time it is not a dead letter any more."""
    return Operation(service="threads", method="POST", path=f"{_path(letter_id)}/replay", parse=_count)


def replay_all(*, task_id: str | None, config_id: str | None) -> Operation[int]:
    """Have several sent again; to do it twice does no more than to do it once."""
    return Operation(
        service="threads",
        method="POST",
        path=f"{ROOT}/replay",
        body=_choice(task_id, config_id),
        parse=_count,
        key="replay",
    )


def discard(letter_id: str) -> Operation[int]:
    """Forget one for good. Not repeated by itself, as `replay`."""
    return Operation(service="threads", method="DELETE", path=_path(letter_id), parse=_count)


def discard_all(*, task_id: str | None, config_id: str | None) -> Operation[int]:
    """Forget several for good. Not repeated by itself: others may have died in between."""
    return Operation(
        service="threads", method="POST", path=f"{ROOT}/discard", body=_choice(task_id, config_id), parse=_count
    )


def _choice(task_id: str | None, config_id: str | None) -> dict[str, JsonValue]:
    _require_task(task_id, config_id)
    given: dict[str, JsonValue] = {"task_id": task_id, "config_id": config_id}
    return {name: value for name, value in given.items() if value is not None}


def _require_task(task_id: str | None, config_id: str | None) -> None:
    if config_id is not None and task_id is None:
        raise InvalidArgumentError("config_id", "needs the task_id that it is of")


def _path(letter_id: str) -> str:
    if not letter_id:
        raise InvalidArgumentError("letter_id", "must not be empty")
    return f"{ROOT}/{segment(letter_id)}"


def _count(reply: Reply) -> int:
    return Reader.of(reply.body, "dead letters").integer("letters")


def _letter_reply(reply: Reply) -> DeadLetter:
    return _letter(Reader.of(reply.body, "dead letter"))


def _page(reply: Reply) -> DeadLetterPage:
    body = Reader.of(reply.body, "dead letters")
    return DeadLetterPage(
        letters=tuple(_letter(one) for one in body.readers("letters")), next_cursor=body.optional_text("next_cursor")
    )


def _letter(body: Reader) -> DeadLetter:
    return DeadLetter(
        letter_id=body.text("letter_id"),
        task_id=body.text("task_id"),
        config_id=body.text("config_id"),
        url=body.text("url"),
        seq=body.integer("seq"),
        reason=body.text("reason"),
        error=body.text("error"),
        attempts=body.integer("attempts"),
        created_at=body.time("created_at"),
        died_at=body.time("died_at"),
    )
