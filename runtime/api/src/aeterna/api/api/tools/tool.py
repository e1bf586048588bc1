"""What a tool is: its name, what it takes, what it answers, what the policy is asked, and who does it."""

# Without the postponed annotations that we have elsewhere: pydantic reads these at run time.
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, Literal, TypeAlias, TypeVar

from fastapi import Request
from mcp import types as mcp_types
from pydantic import BaseModel, ConfigDict
from pydantic.json_schema import GenerateJsonSchema

from aeterna.service.caller import Caller

Effect: TypeAlias = Literal["reads", "removes"]
"""Removes: also what it replaces whole."""


class Arguments(BaseModel):
    """What the arguments of all tools share: nothing but what is documented."""

    model_config = ConfigDict(extra="forbid", frozen=True)


A = TypeVar("A", bound=BaseModel)

_SEQ: Final = "seq"


Content: TypeAlias = dict[str, Any]
"""What a tool answers: a JSON object."""


def answer(body: BaseModel, seq: int) -> Content:
    """Return a body that REST has too, with the position in history that REST says in a header.

    Call it in the thread that read: writing a large answer would stop every other request of this process.
    """
    return {**body.model_dump(mode="json", by_alias=True), _SEQ: seq}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool(Generic[A]):
    """One tool.

    ``permitted`` is the dependency of the REST route that does the same: it asks the policy for the same action, and
    raises on a deny. ``run`` is called after it, with arguments that were checked, and raises what REST would answer.
    """

    name: str
    title: str
    description: str
    effect: Effect
    arguments: type[A]
    answer: type[BaseModel]
    permitted: Callable[[Request, Caller], Awaitable[Caller]]
    run: Callable[[Request, Caller, A], Awaitable[Content]]

    def listed(self) -> mcp_types.Tool:
        """Return what ``tools/list`` says of it."""
        reads = self.effect == "reads"
        return mcp_types.Tool(
            name=self.name,
            title=self.title,
            description=self.description,
            input_schema=self.arguments.model_json_schema(schema_generator=_Untitled),
            output_schema=_with_seq(self.answer.model_json_schema(schema_generator=_Untitled, mode="serialization")),
            annotations=mcp_types.ToolAnnotations(
                title=self.title,
                read_only_hint=reads,
                destructive_hint=self.effect == "removes",
                # Writing replaces whole and removing forgives absence, so that nothing is done twice.
                idempotent_hint=True,
                # It sees one tenant's graph and nothing of the world.
                open_world_hint=False,
            ),
        )

    async def __call__(self, request: Request, caller: Caller, given: dict[str, Any]) -> Content:
        """Ask the policy, check the arguments and do it; raise `AeternaError` or pydantic's `ValidationError`."""
        await self.permitted(request, caller)
        return await self.run(request, caller, self.arguments.model_validate(given))


class _Untitled(GenerateJsonSchema):
    """Leaves out the titles that repeat the names of fields: agents pay for the list of tools by the token."""

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002 - pydantic's signature
        """Never."""
        return False


AnyTool: TypeAlias = Tool[Any]


def _with_seq(schema: dict[str, Any]) -> dict[str, Any]:
    properties: dict[str, Any] = schema.setdefault("properties", {})
    properties[_SEQ] = {
        "type": "integer",
        "description": "Of the newest session in the state that was read or made; give it back as at_least.",
    }
    required: list[str] = schema.setdefault("required", [])
    if _SEQ not in required:
        required.append(_SEQ)
    return schema
