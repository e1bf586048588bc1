"""Reads the fields of a JSON answer, so that parsing code names each field once and every misfit is one error."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, cast

from aeterna.client.errors import UnreadableAnswerError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aeterna.client.json_value import JsonObject, JsonValue


class Reader:
    """One JSON object of an answer; every accessor raises `UnreadableAnswerError` naming the field."""

    def __init__(self, value: object, what: str) -> None:
        if not isinstance(value, dict):
            raise UnreadableAnswerError(what, "is not a JSON object")
        self._fields = cast("Mapping[str, JsonValue]", value)  # json.loads makes only such values
        self._what = what

    @classmethod
    def of(cls, body: bytes, what: str) -> Reader:
        """Return the reader of a whole answer."""
        try:
            return cls(json.loads(body), what)
        except ValueError as not_json:
            raise UnreadableAnswerError(what, "is not JSON") from not_json

    def has(self, field: str) -> bool:
        """Return whether the field is there and not null."""
        return self._fields.get(field) is not None

    def text(self, field: str, default: str | None = None) -> str:
        """Return a string."""
        value = self._fields.get(field, default)
        if not isinstance(value, str):
            raise self._misfit(field, "a string")
        return value

    def optional_text(self, field: str) -> str | None:
        """Return a string, or None where it is null or left out."""
        return None if self._fields.get(field) is None else self.text(field)

    def integer(self, field: str, default: int | None = None) -> int:
        """Return an integer."""
        value = self._fields.get(field, default)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self._misfit(field, "an integer")
        return value

    def optional_integer(self, field: str) -> int | None:
        """Return an integer, or None where it is null or left out."""
        return None if self._fields.get(field) is None else self.integer(field)

    def number(self, field: str) -> float:
        """Return a number."""
        value = self._fields.get(field)
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self._misfit(field, "a number")
        return float(value)

    def flag(self, field: str) -> bool:
        """Return true or false."""
        value = self._fields.get(field)
        if not isinstance(value, bool):
            raise self._misfit(field, "true or false")
        return value

    def time(self, field: str) -> datetime:
        """Return an RFC 3339 time with its offset."""
        try:
            moment = datetime.fromisoformat(self.text(field))
        except ValueError as malformed:
            raise self._misfit(field, "an RFC 3339 time") from malformed
        if moment.tzinfo is None:
            raise self._misfit(field, "a time with an offset")
        return moment

    def object(self, field: str) -> JsonObject:
        """Return an object; an empty one where it is null or left out."""
        value = self._fields.get(field)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise self._misfit(field, "an object")
        return cast("JsonObject", value)  # json.loads makes only such values

    def values(self, field: str) -> Sequence[JsonValue]:
        """Return an array."""
        value = self._fields.get(field)
        if not isinstance(value, list):
            raise self._misfit(field, "an array")
        return cast("Sequence[JsonValue]", value)  # json.loads makes only such values

    def rows(self, field: str) -> list[Sequence[JsonValue]]:
        """Return an array of arrays."""
        values = self.values(field)
        if not all(isinstance(value, list) for value in values):
            raise self._misfit(field, "an array of arrays")
        return cast("list[Sequence[JsonValue]]", values)  # as was just seen

    def readers(self, field: str) -> list[Reader]:
        """Return an array of objects."""
        return [Reader(value, f"{self._what}.{field}[{index}]") for index, value in enumerate(self.values(field))]

    def texts(self, field: str) -> tuple[str, ...]:
        """Return an array of strings."""
        values = self.values(field)
        if not all(isinstance(value, str) for value in values):
            raise self._misfit(field, "an array of strings")
        return tuple(str(value) for value in values)

    def rest(self, *known: str) -> JsonObject:
        """Return the fields whose names are not given."""
        return {name: value for name, value in self._fields.items() if name not in known}

    def _misfit(self, field: str, expected: str) -> UnreadableAnswerError:
        return UnreadableAnswerError(f"{self._what}.{field}", f"is not {expected}")
