"""The documents of the AuthZEN Authorization API 1.0: evaluations in, decisions out, and the metadata."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import orjson

from aeterna.contracts.json_value import is_array, is_object
from aeterna.policy.api.documents import member, parsed, text
from aeterna.policy.domain.question import Entity, Question
from aeterna.policy.errors import QuestionMalformedError, TooManyEvaluationsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.policy.domain.decision import Decision

EVALUATION: Final = "/access/v1/evaluation"
EVALUATIONS: Final = "/access/v1/evaluations"
METADATA: Final = "/.well-known/authzen-configuration"
# Section 5.3.1 of AuthZEN lets an action have properties. No policy of ours can see them, and what cannot be seen must
# not be passed over: they travel in the context under this name, where a schema that does not know it refuses them.
_ACTION_PROPERTIES: Final = "action"
_REQUIRED: Final = {"subject": ("type", "id"), "action": ("name",), "resource": ("type", "id")}

Evaluation: TypeAlias = Question | QuestionMalformedError
"""A question, or what is wrong with it."""

_STOPS_AFTER: Final = {"execute_all": None, "deny_on_first_deny": False, "permit_on_first_permit": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The evaluations of one request in order, each a question or what is wrong with it.

    ``stops_after`` is the decision after which the rest is not evaluated, None where all are.
    """

    evaluations: tuple[Evaluation, ...]
    stops_after: bool | None


def question(body: bytes | bytearray) -> Question:
    """Parse an access evaluation request (section 6.1), or raise `QuestionMalformedError` saying which part is wrong.

    Members that the specification does not know are ignored, as it asks for.
    """
    return _question(parsed(body))


def batch(body: bytes | bytearray, *, limit: int) -> Batch | Question:
    """Parse an access evaluations request (section 7.1), or raise; without evaluations it is a single question."""
    document = parsed(body)
    evaluations = document.get("evaluations", [])
    options = member(document, "options", optional=True)
    if not is_array(evaluations):
        raise QuestionMalformedError("'evaluations' must be a list")
    if len(evaluations) > limit:
        raise TooManyEvaluationsError(len(evaluations), limit)
    semantic = options.get("evaluations_semantic", "execute_all")
    if not isinstance(semantic, str) or semantic not in _STOPS_AFTER:
        raise QuestionMalformedError(f"'options.evaluations_semantic' must be one of {', '.join(_STOPS_AFTER)}")
    if not evaluations:
        return _question(document)
    return Batch(
        evaluations=tuple(_one_of(document, evaluation) for evaluation in evaluations),
        stops_after=_STOPS_AFTER[semantic],
    )


def written(decision: Decision) -> bytes:
    """Return an access evaluation response (section 6.2) up to its age; the reasons are in its context."""
    document = orjson.dumps(
        {
            "decision": decision.allowed,
            "context": {
                "policies": decision.policies,
                "errors": decision.errors,
                "epoch": decision.epoch,
                "digest": decision.digest,
                "tenant": decision.tenant,
                "age": 0,
            },
        }
    )
    return document[: -len(b"0}}")]


def completed(begun: bytes, age: float) -> bytes:
    """Return a response that `written` began."""
    return b"%b%.3f}}" % (begun, age)


def answer(decision: Decision) -> bytes:
    """Return a whole access evaluation response."""
    return completed(written(decision), decision.age)


def refusal(error: QuestionMalformedError) -> bytes:
    """Return the response to one evaluation of several that is none (section 7.2.1): a deny that says why."""
    return orjson.dumps(
        {"decision": False, "context": {"errors": [str(error)], "error": {"status": 400, "message": str(error)}}}
    )


def answers(evaluations: list[bytes]) -> bytes:
    """Return an access evaluations response (section 7.2)."""
    return b'{"evaluations":[%b]}' % b",".join(evaluations)


def metadata(public_url: str) -> bytes:
    """Return the metadata document (section 9.1), with the endpoints that there are."""
    base = public_url.rstrip("/")
    return orjson.dumps(
        {
            "policy_decision_point": base,
            "access_evaluation_endpoint": f"{base}{EVALUATION}",
            "access_evaluations_endpoint": f"{base}{EVALUATIONS}",
        }
    )


def _one_of(defaults: Mapping[str, object], evaluation: object) -> Evaluation:
    """Return one of several evaluations, or what is wrong with it, which is no reason to refuse the others.

    What it says replaces what is said for all (section 7.1.1), except that a subject, an action or a resource without
    one of the members that it needs is given that member's default.
    """
    if not is_object(evaluation):
        return QuestionMalformedError("an evaluation must be an object")
    document = {name: defaults[name] for name in (*_REQUIRED, "context") if name in defaults}
    for name, value in evaluation.items():
        default = defaults.get(name)
        if is_object(value) and is_object(default) and name in _REQUIRED:
            needed = {key: default[key] for key in _REQUIRED[name] if key in default}
            document[name] = {**needed, **value}
        else:
            document[name] = value
    try:
        return _question(document)
    except QuestionMalformedError as exc:
        return exc


def _question(document: Mapping[str, object]) -> Question:
    action = member(document, "action")
    context = member(document, "context", optional=True)
    properties = member(action, "properties", of="action", optional=True)
    return Question(
        subject=_entity(document, "subject"),
        action=text(action, "name", of="action"),
        resource=_entity(document, "resource"),
        context={**context, _ACTION_PROPERTIES: properties} if properties else context,
    )


def _entity(document: Mapping[str, object], name: str) -> Entity:
    entity = member(document, name)
    return Entity(
        type=text(entity, "type", of=name),
        id=text(entity, "id", of=name),
        properties=member(entity, "properties", of=name, optional=True),
    )
