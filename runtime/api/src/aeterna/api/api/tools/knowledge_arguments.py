"""What knowledge's tools take."""

# Without the postponed annotations that we have elsewhere: pydantic reads these at run time.
from typing import Annotated, Final

from pydantic import Field

from aeterna.api.api.knowledge_bodies import DocumentText
from aeterna.api.api.tools.graph_arguments import AtMoment
from aeterna.api.api.tools.tool import Arguments
from aeterna.knowledge.domain.queries import MAX_QUESTION_CHARS

MAX_TOOL_EVIDENCE: Final = 50
MAX_TOOL_TOKENS: Final = 16_000
MAX_TOOL_CHARS: Final = 40_000
MAX_TOOL_DOCUMENTS: Final = 200


class AskArguments(AtMoment):
    """What is asked, and how much is answered."""

    question: Annotated[
        str,
        Field(
            min_length=1,
            max_length=MAX_QUESTION_CHARS,
            description="In plain language; a phrase in quotes stands together.",
            examples=["How long is a session id remembered?"],
        ),
    ]
    limit: Annotated[int, Field(ge=1, le=MAX_TOOL_EVIDENCE, description="Passages returned.")] = 8
    tokens: Annotated[
        int, Field(ge=1, le=MAX_TOOL_TOKENS, description="About how many tokens all passages have together.")
    ] = 4_000


class GetArguments(Arguments):
    """Which place of which document."""

    document: DocumentText
    start: Annotated[int, Field(ge=0, description="The first character, as a citation says it.")] = 0
    end: Annotated[
        int | None, Field(ge=0, description=f"The first character behind it; at most {MAX_TOOL_CHARS} are returned.")
    ] = None
    context: Annotated[int, Field(ge=0, le=2_000, description="Characters before and behind it.")] = 0


class ListArguments(Arguments):
    """Which documents."""

    prefix: Annotated[str, Field(description="What their ids begin with.")] = ""
    limit: Annotated[int, Field(ge=1, le=MAX_TOOL_DOCUMENTS, description="Documents a page.")] = 100
    cursor: Annotated[str | None, Field(description="The next_cursor of the page before.")] = None
