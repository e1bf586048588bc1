"""The JSON of conditions on properties."""

# Without the postponed annotations that we have elsewhere: pydantic and FastAPI read these at run time.
from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import FailFast, Field

from aeterna.api.api.bodies import Body
from aeterna.graph.domain.questions.filters import MAX_CONDITIONS, Condition, condition, condition_parsed

OperatorText = Literal["=", "!=", "<", "<=", ">", ">=", "exists", "missing"]
ConditionText = Annotated[
    str, Field(description="As in neighbors: tier<=2, owner, !owner.", examples=["owner=payments"])
]


class ConditionBody(Body):
    """A condition on one property. What is missing matches nothing but ``missing``; types never mix."""

    property: Annotated[str, Field(description="A property at the top level.", examples=["owner"])]
    op: OperatorText = "="
    value: Annotated[str | int | float | bool | None, Field(examples=["payments"])] = None

    def condition(self, parameter: str) -> Condition:
        """Read the condition; raise `InvalidQueryError`."""
        return condition(self.property, self.op, self.value, parameter=parameter)


Where = Annotated[
    tuple[ConditionBody | ConditionText, ...],
    FailFast(),
    Field(max_length=MAX_CONDITIONS, description="All of them must hold."),
]


def conditions_of(where: Iterable[ConditionBody | str], parameter: str) -> list[Condition]:
    """Read conditions of either form; raise `InvalidQueryError`."""
    return [
        condition_parsed(each, parameter=parameter) if isinstance(each, str) else each.condition(parameter)
        for each in where
    ]
