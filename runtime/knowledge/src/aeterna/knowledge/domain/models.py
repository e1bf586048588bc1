"""What a language model is asked and what it answers, in the terms of every OpenAI-compatible endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from aeterna.contracts.json_value import JsonValue
from aeterna.knowledge.domain.documents import UnitId
from aeterna.knowledge.domain.reports import Instead

Schema: TypeAlias = Mapping[str, JsonValue]
Vectors: TypeAlias = npt.NDArray[np.float32]


class Role(StrEnum):
    """Who speaks."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message of a conversation with a model."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerForm:
    """The JSON Schema that an answer is asked to follow; what comes is looked at all the same."""

    name: str
    schema: Schema


class Finish(StrEnum):
    """How an answer ended."""

    WHOLE = "whole"
    CUT_OFF = "cut_off"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelAnswer:
    """An answer as it came, and the tokens that were counted for the question and the answer."""

    text: str
    finish: Finish
    tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A numbered piece of a question's evidence: data, whatever it says."""

    text: str
    label: str = ""
    suspicious: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Something asked about sources, which are numbered from 1; ``version`` counts the changes of its wording."""

    version: int
    instructions: str
    about: str
    sources: tuple[Source, ...]
    form: AnswerForm
    answer_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """What is kept of a question that was asked: the answer that stood, or why none did."""

    text: str = ""
    instead: Instead | None = None
    units: frozenset[UnitId] = frozenset()
    """The units that it was asked about, with which it goes. Without any it goes with every unit."""
