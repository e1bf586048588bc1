"""The strings and ids that z3's nameless values are given, so that those it tells apart are told apart by Cedar too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import z3

from aeterna.cedar.domain.request import Uid
from aeterna.policies.adapters.smt.patterns import texts
from aeterna.policies.adapters.smt.values import any_of, applied
from aeterna.policies.errors import UndecidedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.policies.adapters.smt.footprint import Footprint
    from aeterna.policies.adapters.smt.patterns import Pattern
    from aeterna.policies.adapters.smt.symbols import Symbols


class Names:
    """Names every value of one model; literals keep theirs."""

    def __init__(self, model: z3.ModelRef, footprint: Footprint) -> None:
        self._model = model
        self._footprint = footprint
        # The values are kept beside their names: z3 gives the number of a value that is gone to another one.
        self._texts: dict[int, tuple[z3.ExprRef, str]] = {}
        self._uids: dict[int, tuple[z3.ExprRef, Uid]] = {}
        for text, plain in footprint.strings.items():
            value = self.value(plain.term)
            self._texts[value.get_id()] = (value, text)
        for uid, plain in footprint.entities.items():
            value = self.value(plain.term)
            self._uids[value.get_id()] = (value, uid)
        self._used_texts = set(footprint.strings)
        self._used_uids = set(footprint.entities)

    def value(self, term: z3.ExprRef) -> z3.ExprRef:
        """Return the model's value of a term."""
        return self._model.eval(term, model_completion=True)

    def holds(self, formula: z3.BoolRef) -> bool:
        """Return whether the model fulfils the formula."""
        return z3.is_true(self.value(formula))

    def number(self, term: z3.ArithRef | z3.BitVecRef) -> int:
        """Return the number that the model has for this term."""
        value = self.value(term)
        if not isinstance(value, z3.IntNumRef | z3.BitVecNumRef):
            raise UndecidedError("z3 has no number for a term")
        return value.as_long()

    def text(self, term: z3.ExprRef) -> str:
        """Return the string of this term."""
        value = self.value(term)
        if value.get_id() not in self._texts:
            self._texts[value.get_id()] = (value, self._unused("text", self._used_texts))
        return self._texts[value.get_id()][1]

    def uid(self, type_: str, term: z3.ExprRef) -> Uid:
        """Return the entity of this term."""
        value = self.value(term)
        if value.get_id() not in self._uids:
            self._uids[value.get_id()] = (value, self.unused(type_))
        return self._uids[value.get_id()][1]

    def unused(self, type_: str) -> Uid:
        """Return an entity that nothing has named yet."""
        ids = {uid.id for uid in self._used_uids if uid.type == type_}
        found = Uid(type_, self._unused(type_.rpartition("::")[2].lower(), ids))
        self._used_uids.add(found)
        return found

    def spelled(self) -> dict[Pattern, bool] | None:
        """Name the strings that patterns are asked about; return what is asked of one and no string is like, if any."""
        for value, wanted in self._patterned():
            if value.get_id() in self._texts:
                continue
            found = next((text for text in self._spellings(wanted) if text not in self._used_texts), None)
            if found is None:
                return wanted
            self._used_texts.add(found)
            self._texts[value.get_id()] = (value, found)
        return None

    def _spellings(self, wanted: Mapping[Pattern, bool]) -> list[str]:
        return texts(wanted, most=len(self._used_texts) + 1)

    def _patterned(self) -> list[tuple[z3.ExprRef, dict[Pattern, bool]]]:
        found: dict[int, tuple[z3.ExprRef, dict[Pattern, bool]]] = {}
        for use in self._footprint.patterns.values():
            value = self.value(use.text.term)
            found.setdefault(value.get_id(), (value, {}))[1][use.pattern] = self.holds(use.atom)
        return list(found.values())

    @staticmethod
    def _unused(stem: str, used: set[str]) -> str:
        number = 1
        while f"{stem}-{number}" in used:
            number += 1
        used.add(f"{stem}-{number}")
        return f"{stem}-{number}"


def like(pattern: Pattern, text: z3.ExprRef) -> z3.BoolRef:
    """Return the atom that says that the text matches the pattern."""
    return applied(f"like {pattern!r}", (text,), z3.BoolSort())


def impossible(wanted: Mapping[Pattern, bool], footprint: Footprint, symbols: Symbols) -> list[z3.BoolRef]:
    """Return the lemmas that keep z3 from asking this of a string, but for the few strings there are, if any.

    Adds those strings to the footprint: what they match is for the caller to say.
    """
    few = texts(wanted, most=len(footprint.strings) + len(footprint.patterns) + 1)
    allowed = [symbols.string(text, footprint) for text in few]
    terms = {use.text.term.get_id(): use.text.term for use in footprint.patterns.values()}
    return [
        any_of(
            *(like(pattern, term) != z3.BoolVal(holds) for pattern, holds in wanted.items()),
            *(term == text.term for text in allowed),
        )
        for term in terms.values()
    ]
