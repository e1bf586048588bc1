"""What Azure gives roles to: objects of Entra ID, by identifier and not by the name that a person signs in with."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aeterna.contracts.errors import InvalidSpecError
from aeterna.synth.expressions import Token

if TYPE_CHECKING:
    from collections.abc import Sequence

OBJECT = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def require_objects(spec: str, field: str, principals: Sequence[str]) -> None:
    """Refuse what is not the identifier of an object of Entra ID, such as the name that a person signs in with."""
    for principal in principals:
        if not OBJECT.fullmatch(principal) and not Token.is_unresolved(principal):
            problem = f"{principal!r} is not the identifier of an object of Entra ID"
            remedy = "write the object ID of a user, a group or an application"
            raise InvalidSpecError(spec, field, problem, remedy)
