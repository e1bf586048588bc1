"""The calls about erasures and legal holds: how each is asked and how its answer is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.client.erasure_values import ErasedFile, Erasure, Finding, Hold, Verification
from aeterna.client.graph_operations import ROOT, given
from aeterna.client.operation import Operation, Reply, segment
from aeterna.client.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.client.json_value import JsonValue


def erase(subject: str | None, *, nodes: Sequence[str], tenant: bool, erasure_id: str) -> Operation[Erasure]:
    """Order an erasure; its id is the key by which a repetition is recognised."""
    body: dict[str, JsonValue] = {**_target(subject, nodes), "tenant": tenant, "erasure_id": erasure_id}
    path = f"{ROOT}/erasures"
    return Operation(service="graph", method="POST", path=path, body=body, key=erasure_id, parse=_erasure_reply)


def erasures() -> Operation[tuple[Erasure, ...]]:
    """Read every erasure."""
    return Operation(service="graph", method="GET", path=f"{ROOT}/erasures", parse=_erasures)


def erasure(erasure_id: str) -> Operation[Erasure]:
    """Read an erasure, or its certificate."""
    return Operation(service="graph", method="GET", path=_erasure_path(erasure_id), parse=_erasure_reply)


def verify_erasure(erasure_id: str, *, subject: str | None, nodes: Sequence[str]) -> Operation[Verification]:
    """Look for what was erased in every byte that is left."""
    return Operation(
        service="graph",
        method="POST",
        path=f"{_erasure_path(erasure_id)}/verify",
        body=_target(subject, nodes),
        parse=lambda reply: _verification(Reader.of(reply.body, "verification")),
        reading=True,
    )


def holds() -> Operation[tuple[Hold, ...]]:
    """Read every legal hold in force."""
    return Operation(
        service="graph",
        method="GET",
        path=f"{ROOT}/holds",
        parse=lambda reply: tuple(_hold(item) for item in Reader.of(reply.body, "holds").readers("holds")),
    )


def hold(hold_id: str, *, subject: str | None, reason: str) -> Operation[Hold]:
    """Place a legal hold; its id is the key by which a repetition is recognised."""
    body: dict[str, JsonValue] = {"reason": reason}
    if subject is not None:
        body["subject"] = subject
    return Operation(
        service="graph",
        method="PUT",
        path=_hold_path(hold_id),
        body=body,
        key=hold_id,
        parse=lambda reply: _hold(Reader.of(reply.body, "hold")),
    )


def release(hold_id: str) -> Operation[None]:
    """End a legal hold."""
    return Operation(service="graph", method="DELETE", path=_hold_path(hold_id), parse=lambda _reply: None)


def _target(subject: str | None, nodes: Sequence[str]) -> dict[str, JsonValue]:
    target: dict[str, JsonValue] = {}
    if subject is not None:
        target["subject"] = subject
    if nodes:
        target["nodes"] = list(nodes)
    return target


def _erasure_path(erasure_id: str) -> str:
    return f"{ROOT}/erasures/{segment(given('erasure_id', erasure_id))}"


def _hold_path(hold_id: str) -> str:
    return f"{ROOT}/holds/{segment(given('hold_id', hold_id))}"


def _erasure_reply(reply: Reply) -> Erasure:
    return _erasure(Reader.of(reply.body, "erasure"))


def _erasures(reply: Reply) -> tuple[Erasure, ...]:
    return tuple(_erasure(item) for item in Reader.of(reply.body, "erasures").readers("erasures"))


def _erasure(fields: Reader) -> Erasure:
    removed = Reader(fields.object("removed"), "erasure.removed")
    named = ("erasure_id", "state", "seq", "tenant", "subject_digest", "ordered_by", "ordered_at", "done_at")
    return Erasure(
        erasure_id=fields.text("erasure_id"),
        state=fields.text("state"),
        seq=fields.integer("seq"),
        tenant=fields.flag("tenant"),
        subject_digest=fields.optional_text("subject_digest"),
        ordered_by=fields.text("ordered_by"),
        ordered_at=fields.time("ordered_at"),
        done_at=fields.time("done_at") if fields.has("done_at") else None,
        rows=removed.object("rows"),
        files=tuple(
            ErasedFile(path=item.text("path"), bytes=item.integer("bytes"), sha256=item.text("sha256"))
            for item in fields.readers("files")
        ),
        verification=_verification(Reader(fields.object("verification"), "erasure.verification"))
        if fields.has("verification")
        else None,
        facts=fields.rest(*named, "files", "verification"),
    )


def _verification(fields: Reader) -> Verification:
    return Verification(
        clean=fields.flag("clean"),
        files=fields.integer("files"),
        bytes=fields.integer("bytes"),
        at=fields.time("at"),
        findings=tuple(_finding(item) for item in fields.readers("findings")),
        mentions=tuple(_finding(item) for item in fields.readers("mentions")),
    )


def _finding(fields: Reader) -> Finding:
    return Finding(path=fields.text("path"), what=fields.text("what"), count=fields.integer("count"))


def _hold(fields: Reader) -> Hold:
    return Hold(
        hold_id=fields.text("hold_id"),
        subject=fields.optional_text("subject"),
        reason=fields.text("reason"),
        placed_by=fields.text("placed_by"),
        placed_at=fields.time("placed_at"),
    )
