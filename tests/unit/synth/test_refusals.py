"""A refusal names the construct: in an app of many, the spec's class alone does not say which one is wrong."""

from __future__ import annotations

import pytest
from constructs import Construct

from aeterna.contracts.errors import InvalidSpecError
from aeterna.synth import testing
from aeterna.synth.app import TerraformStack
from aeterna.synth.refusals import names_itself


@names_itself
class Shelf(Construct):
    """Refuses every width but one."""

    def __init__(self, scope: Construct, id_: str, *, width: int) -> None:
        super().__init__(scope, id_)
        if width != 80:
            raise InvalidSpecError("ShelfSpec", "width", f"{width} cm", "use 80 cm")


@names_itself
class Room(Construct):
    """Holds a shelf."""

    def __init__(self, scope: Construct, id_: str, *, width: int) -> None:
        super().__init__(scope, id_)
        Shelf(self, "Shelf", width=width)


def test_a_refusal_names_the_innermost_construct_once() -> None:
    stack = TerraformStack(testing.app(), "house")

    with pytest.raises(InvalidSpecError) as refused:
        Room(stack, "Library", width=70)

    assert str(refused.value) == "house/Library/Shelf: ShelfSpec.width: 70 cm; use 80 cm"
    assert refused.value.path == "house/Library/Shelf"


def test_a_construct_that_is_content_is_made_as_ever() -> None:
    stack = TerraformStack(testing.app(), "house")

    assert Room(stack, "Library", width=80).node.path == "house/Library"
    assert Room.__init__.__wrapped__.__annotations__["width"] == "int"  # type: ignore[attr-defined] - functools.wraps
