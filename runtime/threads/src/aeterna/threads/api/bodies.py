"""The JSON of the thread store's API: parsed strictly on the way in, written from the domain on the way out."""

# Without the postponed annotations that we have elsewhere: pydantic reads these at run time.
import base64
import json
import math
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal, cast

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from aeterna.service.json_value import JsonValue
from aeterna.threads.domain import conversation as domain
from aeterna.threads.domain.conversation import (
    DataPart,
    Message,
    MessageDraft,
    MessageId,
    Part,
    RawPart,
    Receipt,
    Role,
    TextPart,
    Thread,
    UrlPart,
)

# The largest bigint of PostgreSQL: a sequence number above it cannot exist, and would fail as a parameter.
MAX_SEQ: Final = 2**63 - 1

Identifier = Annotated[str, Field(pattern=domain.ID_PATTERN, examples=["incident-7"])]
Seq = Annotated[int, Field(ge=0, le=MAX_SEQ)]
_MEDIA_TYPE: Final = r"^[!-~][ -~]*$"
# The service's settings bound it further; this only keeps it a number that every interval can hold.
MOST_SECONDS: Final = 100 * 365 * 86_400
Seconds = Annotated[float, Field(ge=1, le=MOST_SECONDS, allow_inf_nan=False)]
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def _storable_text(text: str) -> str:
    """Refuse what no PostgreSQL text can hold: U+0000, and surrogates without their other half."""
    if "\0" in text:
        raise ValueError("must not contain U+0000")
    if _SURROGATE.search(text):
        raise ValueError("must not contain lone surrogates")
    return text


def storable(value: JsonValue, depth: int = 0) -> JsonValue:
    """Refuse JSON that is deeper than the store keeps, has no exact text, or holds text that cannot be stored."""
    if depth > domain.MAX_DEPTH:
        raise ValueError(f"must not be nested deeper than {domain.MAX_DEPTH} levels")
    match value:
        case str():
            _storable_text(value)
        case float() if not math.isfinite(value):
            raise ValueError("numbers must be finite")
        case Mapping():
            for key, item in value.items():
                _storable_text(key)
                storable(item, depth + 1)
        case list():
            for item in value:
                storable(item, depth + 1)
        case _:
            pass
    return value


def _small(value: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    storable(value)
    if len(domain.canonical(value).encode()) > domain.MAX_METADATA_BYTES:
        raise ValueError(f"must be at most {domain.MAX_METADATA_BYTES} bytes of JSON")
    return value


def _base64(text: str) -> str:
    """Refuse what is not Base64; the text itself is kept."""
    try:
        base64.b64decode(text, validate=True)
    except ValueError:
        raise ValueError("must be Base64 with its padding") from None
    return text


def _spelled_out(part: object) -> object:
    """Read a bare string as the text part that it is short for."""
    return {"kind": "text", "text": part} if isinstance(part, str) else part


# Any JSON value: pydantic must not look into it, since it would recurse as deep as the sender likes.
Storable = Annotated[Any, AfterValidator(storable)]
Metadata = Annotated[dict[str, Any], AfterValidator(_small)]
Text = Annotated[str, AfterValidator(_storable_text)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _LabelledBody(_Body):
    filename: Annotated[Text, Field(min_length=1, max_length=domain.MAX_TITLE)] | None = None
    media_type: Annotated[str, Field(pattern=_MEDIA_TYPE, max_length=domain.MAX_TITLE)] | None = None
    metadata: Metadata | None = None

    def labels(self) -> dict[str, Any]:
        """Return what the part says of itself."""
        return {"filename": self.filename, "media_type": self.media_type, "metadata": self.metadata}


class TextPartBody(_LabelledBody):
    """A part that people read."""

    kind: Literal["text"]
    text: Text

    def part(self) -> Part:
        """Return the domain's part."""
        return TextPart(text=self.text, **self.labels())


class DataPartBody(_LabelledBody):
    """A part that programs read: any JSON value."""

    kind: Literal["data"]
    data: Storable

    def part(self) -> Part:
        """Return the domain's part."""
        return DataPart(data=self.data, **self.labels())


class UrlPartBody(_LabelledBody):
    """A part that is kept elsewhere; the store never looks there."""

    kind: Literal["url"]
    url: Annotated[Text, Field(min_length=1, max_length=2048)]

    def part(self) -> Part:
        """Return the domain's part."""
        return UrlPart(url=self.url, **self.labels())


class RawPartBody(_LabelledBody):
    """A part that is bytes, in Base64."""

    kind: Literal["raw"]
    raw: Annotated[str, AfterValidator(_base64)]

    def part(self) -> Part:
        """Return the domain's part."""
        return RawPart(raw=self.raw, **self.labels())


PartBody = Annotated[TextPartBody | DataPartBody | UrlPartBody | RawPartBody, Field(discriminator="kind")]
# A bare string is accepted as well, and documented so.
PartInput = Annotated[PartBody, BeforeValidator(_spelled_out, json_schema_input_type=str | PartBody)]


class ThreadInput(_Body):
    """A thread to be opened; without ``ttl_seconds`` it does not expire."""

    thread_id: Identifier
    title: Annotated[Text, Field(min_length=1, max_length=domain.MAX_TITLE)] | None = None
    metadata: Metadata = Field(default_factory=dict[str, Any])
    ttl_seconds: Seconds | None = None

    def draft(self) -> domain.ThreadDraft:
        """Return the domain's draft."""
        return domain.ThreadDraft(
            thread_id=domain.ThreadId(self.thread_id),
            title=self.title,
            metadata=self.metadata,
            ttl=None if self.ttl_seconds is None else timedelta(seconds=self.ttl_seconds),
        )


class MessageInput(_Body):
    """A message to be appended; ``expected_seq`` is the thread's ``last_seq`` that the writer saw."""

    message_id: Identifier
    role: Role
    parts: Annotated[tuple[PartInput, ...], Field(min_length=1, max_length=domain.MAX_PARTS)]
    metadata: Metadata = Field(default_factory=dict[str, Any])
    expected_seq: Seq | None = None

    def draft(self) -> MessageDraft:
        """Return the domain's draft."""
        return MessageDraft(
            message_id=MessageId(self.message_id),
            role=self.role,
            parts=tuple(part.part() for part in self.parts),
            metadata=self.metadata,
        )


class ThreadBody(_Body):
    """A thread; ``expires_at`` is null where it does not expire."""

    thread_id: str
    title: str | None
    metadata: dict[str, Any]
    created_by: str
    created_at: datetime
    updated_at: datetime
    last_seq: int
    version: int
    expires_at: datetime | None

    @classmethod
    def of(cls, thread: Thread) -> "ThreadBody":
        """Return the body of a thread."""
        return cls(
            thread_id=thread.thread_id,
            title=thread.title,
            metadata=dict(thread.metadata),
            created_by=thread.created_by,
            created_at=thread.created_at,
            updated_at=thread.updated_at,
            last_seq=thread.last_seq,
            version=thread.version,
            expires_at=thread.expires_at,
        )


class ThreadsBody(_Body):
    """A page of threads, newest first; ``next_cursor`` is null on the last."""

    threads: list[ThreadBody]
    next_cursor: str | None


class ReceiptBody(_Body):
    """Where a message stands in its thread."""

    seq: int
    message_id: str
    created_at: datetime

    @classmethod
    def of(cls, receipt: Receipt) -> "ReceiptBody":
        """Return the body of a receipt."""
        return cls(seq=receipt.seq, message_id=receipt.message_id, created_at=receipt.created_at)


class MessageBody(_Body):
    """A message."""

    seq: int
    message_id: str
    role: Role
    parts: list[PartBody]
    metadata: dict[str, Any]
    author: str
    created_at: datetime

    @classmethod
    def of(cls, message: Message) -> "MessageBody":
        """Return the body of a message."""
        return cls.model_construct(
            seq=message.seq,
            message_id=message.message_id,
            role=message.role,
            parts=[_part_body(part) for part in message.parts],
            metadata=dict(message.metadata),
            author=message.author,
            created_at=message.created_at,
        )

    def event(self) -> bytes:
        """Return the message as one server-sent event whose id is the sequence number."""
        # One line of ASCII: the format ends lines at CR and LF, and some readers at Unicode's line separators as well.
        data = json.dumps(self.model_dump(mode="json", exclude_unset=True), separators=(",", ":"), ensure_ascii=True)
        return f"id: {self.seq}\nevent: message\ndata: {data}\n\n".encode("ascii")


class MessagesBody(_Body):
    """A page of messages; ``next_after`` is the ``after_seq`` of the next page, or null at the thread's end."""

    messages: list[MessageBody]
    last_seq: int
    next_after: int | None


def _part_body(part: Part) -> TextPartBody | DataPartBody | UrlPartBody | RawPartBody:
    # Read from the store, where only what was validated gets in: not worth validating again on each read.
    written = cast("dict[str, Any]", domain.part_json(part))
    return _PART_BODIES[written["kind"]].model_construct(**written)


_PART_BODIES: Final = {"text": TextPartBody, "data": DataPartBody, "url": UrlPartBody, "raw": RawPartBody}
