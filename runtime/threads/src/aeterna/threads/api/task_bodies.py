"""The JSON of tasks: writes parsed strictly and each for itself, reads written from the domain as they are."""

# Without the postponed annotations that we have elsewhere: pydantic reads these at run time.
import re
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final, cast

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic_core import from_json

from aeterna.threads.api.bodies import MOST_SECONDS, Identifier, Metadata, PartInput, Seq, Text, storable
from aeterna.threads.domain import conversation as domain
from aeterna.threads.domain.conversation import MessageId, Role, ThreadId, part_json
from aeterna.threads.domain.task import (
    Creation,
    Kind,
    Row,
    RunnerId,
    State,
    Write,
)
from aeterna.threads.errors import InvalidWriteError
from aeterna.threads.usecases.large_values import PAYLOAD

if TYPE_CHECKING:
    from aeterna.service.json_value import JsonValue

MAX_WRITES: Final = 256
MAX_ROWS: Final = 1000
MAX_OWNER: Final = 255

Owner = Annotated[Text, Field(min_length=1, max_length=MAX_OWNER)]
# What holds text or numbers that no database keeps, or that no other program reads as they are. A body without any of
# these need not be looked through value by value; one with them may still be harmless, since text may look like it.
# A number is too large for a double from 1e309 on: by an exponent of three digits, or by one of two after 210 digits.
# It stands after a bracket, a comma, a colon, a blank or its sign, unlike digits within the hexadecimal ones of an id.
_SUSPECT: Final = re.compile(rb"\\u0000|\\u[dD][89abAB]|NaN|Infinity|[\[,:\s-]\d+(?:\.\d+)?[eE]\+?\d{3}|\d{200}")


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RowInput(_Body):
    """One row for a task's log; what its kind has no use for is left out."""

    kind: Kind
    author: Owner
    streamed: bool = False
    said: bool = False
    message_id: Identifier | None = None
    role: Role | None = None
    parts: Annotated[list[PartInput], Field(max_length=domain.MAX_PARTS)] | None = None
    metadata: Metadata | None = None
    extra: Metadata | None = None
    payload: dict[str, Any] | None = None
    artifact_id: Annotated[Text, Field(min_length=1, max_length=255)] | None = None
    append: bool = False

    @model_validator(mode="after")
    def _is_one_kind(self) -> "RowInput":
        spoken = self.kind in {Kind.MESSAGE, Kind.REPLY}
        if spoken != (self.parts is not None) or spoken != (self.role is not None):
            raise ValueError("messages and replies have 'role' and 'parts', and nothing else has")
        if spoken == (self.payload is not None):
            raise ValueError("every row but messages and replies has 'payload'")
        if not spoken and (self.message_id or self.metadata or self.extra):
            raise ValueError("only messages and replies have 'message_id', 'metadata' and 'extra'")
        if (self.kind is Kind.ARTIFACT) != (self.artifact_id is not None):
            raise ValueError("artifacts have 'artifact_id', and nothing else has")
        if PAYLOAD in (self.payload or ()):
            # Its readers would look for an object that nobody wrote.
            raise ValueError(f"'{PAYLOAD}' is the store's own member of a payload")
        return self

    def row(self) -> Row:
        """Return the domain's row."""
        parts = self.parts
        return Row(
            kind=self.kind,
            streamed=self.streamed,
            said=self.said,
            author=self.author,
            message_id=None if self.message_id is None else MessageId(self.message_id),
            role=self.role,
            parts=None if parts is None else tuple(cast("dict[str, Any]", part_json(part.part())) for part in parts),
            metadata=self.metadata,
            extra=self.extra,
            payload=self.payload,
            artifact_id=self.artifact_id,
            append=self.append,
        )


class CreationInput(_Body):
    """How a task begins."""

    context_id: Identifier
    ttl_seconds: Annotated[float, Field(gt=0, le=MOST_SECONDS, allow_inf_nan=False)] | None = None


class WriteInput(_Body):
    """Rows for one task, all or none, at most once."""

    task_id: Identifier
    owner: Owner
    write_id: Identifier
    rows: Annotated[list[RowInput], Field(max_length=MAX_ROWS)]
    creation: CreationInput | None = None
    expected_version: Seq | None = None
    epoch: Seq | None = None
    state: State | None = None
    status: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None
    waiting: bool = False
    handled_seq: Seq | None = None
    claim: Identifier | None = None

    def write(self) -> Write:
        """Return the domain's write."""
        creation = self.creation
        ttl = None if creation is None or creation.ttl_seconds is None else timedelta(seconds=creation.ttl_seconds)
        return Write(
            task_id=ThreadId(self.task_id),
            owner=self.owner,
            write_id=self.write_id,
            rows=tuple(row.row() for row in self.rows),
            creation=None if creation is None else Creation(context_id=creation.context_id, ttl=ttl),
            expected_version=self.expected_version,
            epoch=self.epoch,
            state=self.state,
            status=self.status,
            metadata=self.metadata,
            waiting=self.waiting,
            handled_seq=self.handled_seq,
            claim=None if self.claim is None else RunnerId(self.claim),
        )


class WritesInput(_Body):
    """Writes of a task each."""

    writes: Annotated[list[WriteInput], Field(min_length=1, max_length=MAX_WRITES)]


class CancelInput(_Body):
    """The end of a task at its owner's wish: the terminal status, as ProtoJSON."""

    owner: Owner
    status: dict[str, Any]

    @model_validator(mode="after")
    def _is_storable(self) -> "CancelInput":
        storable(self.status)
        return self


class _Envelope(_Body):
    writes: Annotated[list[Any], Field(min_length=1, max_length=MAX_WRITES)]


_ENVELOPE: Final = TypeAdapter(_Envelope)
_WRITE: Final = TypeAdapter(WriteInput)


def parse_writes(body: bytes) -> Sequence[Write | InvalidWriteError]:
    """Return each write of a request, or what is wrong with it; raise `RequestValidationError` for the request itself.

    Writes of many tasks come in one request, so that one of them which cannot be read must not be in the others' way.
    """
    try:
        items = _ENVELOPE.validate_python(from_json(body)).writes
    except ValidationError as exc:
        raise RequestValidationError(exc.errors(include_url=False, include_input=False)) from exc
    except ValueError as exc:
        raise RequestValidationError([{"type": "json_invalid", "loc": ("body",), "msg": "not JSON"}]) from exc
    suspect = _SUSPECT.search(body) is not None
    seen = set[ThreadId]()
    writes = list[Write | InvalidWriteError]()
    for item in items:
        write = _parse(item, suspect=suspect)
        if isinstance(write, Write):
            if write.task_id in seen:
                write = InvalidWriteError("another write of this request has the same task_id")
            else:
                seen.add(write.task_id)
        writes.append(write)
    return writes


def _parse(item: object, *, suspect: bool) -> Write | InvalidWriteError:
    if not _is_flat(item):
        return InvalidWriteError(f"must not be nested deeper than {domain.MAX_DEPTH} levels")
    try:
        if suspect:
            storable(cast("JsonValue", item))
        write = _WRITE.validate_python(item).write()
    except ValidationError as exc:
        wrong = [
            {"pointer": "".join(f"/{part}" for part in error["loc"]), "problem": error["msg"]} for error in exc.errors()
        ]
        return InvalidWriteError(f"{len(wrong)} part(s) of the write are wrong; see 'errors'", wrong[:20])
    except ValueError as exc:
        return InvalidWriteError(str(exc))
    if not write.is_proven:
        return InvalidWriteError("must have 'epoch', 'expected_version', 'creation', or a user's messages only")
    return write


def _is_flat(value: object) -> bool:
    """Return whether a write is nested no deeper than is stored; its own members count as well."""
    level: list[object] = [value]
    for _ in range(domain.MAX_DEPTH + 1):
        below = list[object]()
        for item in level:
            if isinstance(item, dict):
                below.extend(cast("dict[str, object]", item).values())
            elif isinstance(item, list):
                below.extend(cast("list[object]", item))
        if not below:
            return True
        level = below
    return False
