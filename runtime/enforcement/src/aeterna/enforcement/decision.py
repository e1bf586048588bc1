"""What a decision point answers: a deny is a value, and only the JSON ``true`` is a permit."""

from __future__ import annotations

import json
from dataclasses import dataclass

from aeterna.contracts.json_value import is_array, is_object
from aeterna.enforcement.errors import DecisionUnavailableError


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """Which policies are in force: how many editions there were before, and what the content is called.

    ``trusted`` is false when the decision point itself no longer decides by them, since they are too old.
    """

    epoch: int
    digest: str
    trusted: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Whether it is allowed, which policies said so, and which edition of the policies was asked.

    ``errors`` say what was unclear to the decision point. ``epoch`` counts the editions that the decision point has
    used; ``digest`` is the SHA-256 of the edition's content, so that two replicas can be compared. ``remembered`` says
    that the answer came from the enforcement point's own memory.
    """

    allowed: bool
    policies: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    epoch: int | None = None
    digest: str | None = None
    remembered: bool = False


def one_decision(answer: bytes) -> Decision:
    """Parse the answer to one question, or raise `DecisionUnavailableError`."""
    return _decision(_parsed(answer))


def many_decisions(answer: bytes, count: int) -> list[Decision]:
    """Parse the answer to several questions; raise `DecisionUnavailableError` unless there is one for each."""
    document = _parsed(answer)
    decisions = document.get("evaluations") if is_object(document) else None
    if not is_array(decisions):
        raise DecisionUnavailableError("the decision point's answer has no list of decisions")
    if len(decisions) != count:
        raise DecisionUnavailableError(f"the decision point answered {len(decisions)} of {count} questions")
    return [_decision(decision) for decision in decisions]


def edition_of(data: str) -> Edition | None:
    """Return the edition that an event of the epoch stream names, or None when it names none."""
    try:
        event: object = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not is_object(event):
        return None
    epoch, digest = _epoch(event.get("epoch")), event.get("digest")
    if epoch is None or not isinstance(digest, str) or not digest:
        return None
    return Edition(epoch=epoch, digest=digest, trusted=event.get("trusted", True) is True)


def _parsed(answer: bytes) -> object:
    try:
        return json.loads(answer)
    except (ValueError, RecursionError) as exc:
        raise DecisionUnavailableError("the decision point's answer is not JSON") from exc


def _decision(parsed: object) -> Decision:
    document = parsed if is_object(parsed) else {}
    allowed, facts = document.get("decision"), document.get("context", {})
    if not isinstance(allowed, bool) or not is_object(facts):
        raise DecisionUnavailableError("the decision point's answer is not a decision")
    digest = facts.get("digest")
    return Decision(
        allowed=allowed,
        policies=_texts(facts.get("policies")),
        errors=_texts(facts.get("errors")),
        epoch=_epoch(facts.get("epoch")),
        digest=digest if isinstance(digest, str) else None,
    )


def _texts(value: object) -> tuple[str, ...]:
    """Return a list as texts. What is there and is no list is one text, so that a strange error stays an error."""
    if value is None:
        return ()
    return tuple(str(item) for item in value) if is_array(value) else (str(value),)


def _epoch(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
