"""Between the SDK's protobuf messages and ProtoJSON, with a short way for the plain text that a token is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from a2a.types import Artifact, Part, TaskState
from google.protobuf.json_format import MessageToDict, ParseDict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.protobuf.message import Message as ProtoMessage

    from aeterna.contracts.json_value import JsonValue

    Proto = TypeVar("Proto", bound=ProtoMessage)

STATE_NAMES: Final[dict[int, str]] = {number: name for name, number in TaskState.items()}


def proto_json(message: ProtoMessage) -> dict[str, JsonValue]:
    """Return a message as ProtoJSON; raises ``json_format.Error`` for what JSON does not have, as NaN."""
    return MessageToDict(message)


def proto_of(content: Mapping[str, JsonValue], empty: Proto) -> Proto:
    """Fill an empty message from ProtoJSON and return it; fields of a later release are left out."""
    return ParseDict(dict(content), empty, ignore_unknown_fields=True)


def artifact_json(artifact: Artifact) -> dict[str, JsonValue]:
    """Return an artifact as ProtoJSON."""
    if (text := _plain_text(artifact)) is not None:
        return {"artifactId": artifact.artifact_id, "parts": [{"text": text}]}
    return proto_json(artifact)


def artifact_of(content: Mapping[str, JsonValue]) -> Artifact:
    """Return ProtoJSON as an artifact."""
    match content:
        case {"artifactId": str(artifact_id), "parts": [{"text": str(text), **of_part}], **others} if (
            not of_part and not others
        ):
            return Artifact(artifact_id=artifact_id, parts=[Part(text=text)])
        case _:
            return proto_of(content, Artifact())


def _plain_text(artifact: Artifact) -> str | None:
    if len(artifact.parts) != 1 or artifact.name or artifact.description or artifact.extensions:
        return None
    part = artifact.parts[0]
    plain = part.WhichOneof("content") == "text" and not part.filename and not part.media_type
    return part.text if plain and not part.HasField("metadata") and not artifact.HasField("metadata") else None
