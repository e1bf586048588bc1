"""What is asked: may this subject do this action on this resource, in this context."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

from aeterna.cedar.domain.request import BroughtEntity
from aeterna.policy.errors import QuestionMalformedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A subject or a resource: its type, its id within the type, and what the caller says of it."""

    type: str
    id: str
    properties: Mapping[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One access evaluation, in the words of AuthZEN.

    ``described`` are entities in Cedar's own words, for callers who speak Cedar. ``literal`` says that every type is
    written in full, as Cedar's own names are; otherwise a type without a namespace is one of the sidecar's.
    """

    subject: Entity
    action: str
    resource: Entity
    context: Mapping[str, object] = field(default_factory=dict[str, object])
    action_type: str = "Action"
    described: tuple[BroughtEntity, ...] = ()
    literal: bool = False

    def key(self) -> bytes:
        """Return a text that two questions share only if they are the same question.

        It is JSON and not a tuple: in Python ``True``, ``1`` and ``1.0`` are equal keys, and a question that differs in
        nothing else would be given the other's answer. Properties and context are sorted; their order says nothing.
        Raise `QuestionMalformedError` for a question that is nested too deeply to be written down.
        """
        parts = (
            self.subject.type,
            self.subject.id,
            self.subject.properties,
            self.action,
            self.resource.type,
            self.resource.id,
            self.resource.properties,
            self.context,
            self.action_type,
            [
                (*entity.uid, entity.attributes, list(map(list, entity.parents)), entity.tags)
                for entity in self.described
            ],
            self.literal,
        )
        try:
            return orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)
        except orjson.JSONEncodeError:
            raise QuestionMalformedError("properties or context are nested too deeply") from None
