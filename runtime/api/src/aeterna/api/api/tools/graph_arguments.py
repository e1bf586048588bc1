"""What the graph's tools take: what REST takes in paths, queries, headers and bodies, in one object."""

# Without the postponed annotations that we have elsewhere: pydantic reads these at run time.
from typing import Annotated, Final

from pydantic import FailFast, Field

from aeterna.api.api.bodies import DirectionText, EdgeBody, EdgeKeyBody, Id, NodeBody
from aeterna.api.api.condition_bodies import Where
from aeterna.api.api.pattern_bodies import QueryBody
from aeterna.api.api.question_bodies import SubgraphBody
from aeterna.api.api.requests import moment_of
from aeterna.api.api.tools.tool import Arguments
from aeterna.graph.domain.queries import MAX_DEPTH, MAX_PAGE, MOST_DEPTH
from aeterna.graph.domain.questions.checks import MAX_FILTERS
from aeterna.graph.domain.questions.relatedness import MAX_RELATED
from aeterna.graph.domain.questions.searches import MAX_HITS, MAX_TEXT_CHARS, Match
from aeterna.graph.domain.snapshots import AsOf

MAX_TOOL_HOPS: Final = 10
MAX_TOOL_NODES: Final = 100
_MOST_BYTES: Final = 1024 * 1024

# The first wrong one of many is told, since to list a hundred thousand takes a second.
Types = Annotated[
    tuple[str, ...],
    FailFast(),
    Field(max_length=MAX_FILTERS, description="Walk edges of these types only; none is any."),
]
Kinds = Annotated[
    tuple[str, ...],
    FailFast(),
    Field(max_length=MAX_FILTERS, description="Return nodes of these kinds only; none is any."),
]
Direction = Annotated[
    DirectionText, Field(description="Walk edges from source to target (out), back (in) or both ways.")
]
Cursor = Annotated[str | None, Field(description="The next_cursor of the page before; the rest as it was.")]
MaxBytes = Annotated[
    int,
    Field(
        ge=1024,
        le=_MOST_BYTES,
        description="About how many bytes to answer with; 4 are about a token.",
    ),
]


class AtMoment(Arguments):
    """Which state is asked about; the newest one by default."""

    as_of: Annotated[
        str | None,
        Field(description="Ask the past: a time (RFC 3339, with offset), a tag, seq:NUMBER or a snapshot id."),
    ] = None
    at_least: Annotated[
        int, Field(ge=0, lt=1 << 63, description="The seq of an earlier answer: this one shall not be older.")
    ] = 0

    @property
    def moment(self) -> AsOf | None:
        """The moment, read; raise `InvalidQueryError`."""
        return None if self.as_of is None else moment_of(self.as_of, "as_of")


class NodeArguments(AtMoment):
    """Which node."""

    node: Id


class NeighborsArguments(AtMoment):
    """Whose neighbours."""

    node: Id
    depth: Annotated[int, Field(ge=1, le=MAX_DEPTH, description="How many steps away.")] = 1
    direction: Direction = "both"
    types: Types = ()
    kinds: Kinds = ()
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE, description="Nodes a page.")] = 50
    cursor: Cursor = None
    max_bytes: MaxBytes = 65_536


class TraverseArguments(NeighborsArguments):
    """From where, and which way."""

    depth: Annotated[
        int, Field(ge=1, le=MOST_DEPTH, description="How many steps away; a deployment may allow fewer.")
    ] = 3
    direction: Direction = "out"
    where: Where = ()


class PathArguments(AtMoment):
    """From where to where."""

    source: Id
    target: Id
    max_hops: Annotated[int, Field(ge=1, le=MAX_TOOL_HOPS, description="Longer paths are not looked for.")] = 5
    direction: Direction = "out"
    types: Types = ()


class RelatedArguments(AtMoment):
    """Like which node."""

    node: Id
    types: Types = ()
    kinds: Kinds = ()
    limit: Annotated[int, Field(ge=1, le=MAX_RELATED, description="Nodes returned.")] = 10
    max_bytes: MaxBytes = 65_536


class SearchArguments(AtMoment):
    """Which words."""

    query: Annotated[
        str,
        Field(
            max_length=MAX_TEXT_CHARS,
            description='Words, all of which must be found unless match is any; "a phrase"; a beginning*.',
            examples=['checkout "order items" pay*'],
        ),
    ]
    kinds: Kinds = ()
    limit: Annotated[int, Field(ge=1, le=MAX_HITS, description="Nodes returned.")] = 20
    match: Annotated[Match, Field(description="Whether all of the words must be found, or any will do.")] = "all"


class QueryArguments(QueryBody, AtMoment):
    """A pattern to look for, as in REST."""

    max_bytes: MaxBytes = 65_536


class ContextArguments(SubgraphBody, AtMoment):
    """Around which nodes, as in REST, and how much of it."""

    max_bytes: MaxBytes = 65_536


class LinkArguments(EdgeBody, Arguments):
    """Which edge to write."""

    nodes: Annotated[
        tuple[NodeBody, ...],
        FailFast(),
        Field(
            max_length=MAX_TOOL_NODES,
            description="Nodes to create, or to replace whole, in the same commit. An edge needs both of its nodes.",
        ),
    ] = ()


class UnlinkArguments(EdgeKeyBody, Arguments):
    """Which edge to remove."""
