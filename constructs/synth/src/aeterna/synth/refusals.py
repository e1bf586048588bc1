"""Says which construct refused a spec: of two databases in one app, only the path tells the wrong one."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from aeterna.contracts.errors import InvalidSpecError

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs import Construct

C = TypeVar("C", bound="type[Construct]")


def names_itself(kind: C) -> C:
    """Have a construct's class name the construct's path in what it refuses.

    Decorate the constructs that take a spec. The innermost one speaks: what holds it repeats its refusal unchanged.
    """
    make: Callable[..., None] = kind.__init__

    # What a construct takes beside scope and id is its own affair; the wrapped signature says it.
    @wraps(make)
    def init(self: Construct, scope: Construct, id_: str, *arguments: Any, **named: Any) -> None:  # noqa: ANN401
        try:
            make(self, scope, id_, *arguments, **named)
        except InvalidSpecError as refused:
            if refused.path is not None:
                raise
            raise refused.at(f"{scope.node.path}/{id_}".lstrip("/")) from None

    kind.__init__ = init  # pyright: ignore[reportAttributeAccessIssue] - a class's own constructor is replaced
    return kind
