"""The JSON of a pattern of nodes and edges, and of what fits it."""

# Without the postponed annotations that we have elsewhere: pydantic and FastAPI read these at run time.
from typing import Annotated, Any, Self

from pydantic import ConfigDict, FailFast, Field, JsonValue

from aeterna.api.api.bodies import Body, DirectionText, EdgeBody, MaybeSnapshot, NodeBody, object_of
from aeterna.api.api.condition_bodies import Where, conditions_of
from aeterna.graph.domain.changes import Edge, Node
from aeterna.graph.domain.questions import patterns
from aeterna.graph.domain.questions.patterns import Matches, Pattern, edge_pattern, node_pattern, pattern

# The first wrong one of many is told, since to list a hundred thousand takes a second.
_Several = Annotated[tuple[str, ...], Field(fail_fast=True)]
Labels = Annotated[str | _Several, Field(description="One or several; none means any.", examples=["Service"])]
Named = Annotated[str, Field(max_length=32, examples=["s"])]


class NodePatternBody(Body):
    """What a node has to be; an empty object is any node."""

    id: Annotated[str | _Several, Field(description="One or several.", examples=["svc:checkout"])] = ()
    kind: Labels = ()
    where: Where = ()


class HopsBody(Body):
    """So many edges one after the other, by ways that need not be the same."""

    min: Annotated[int, Field(ge=1, le=patterns.MAX_HOPS)] = 1
    max: Annotated[int, Field(ge=1, le=patterns.MAX_HOPS)]


class EdgePatternBody(Body):
    """How two nodes of the pattern are joined."""

    model_config = ConfigDict(populate_by_name=True)

    source: Annotated[str, Field(alias="from", description="A node of the pattern.", examples=["s"])]
    target: Annotated[str, Field(alias="to", description="A node of the pattern.", examples=["t"])]
    type: Labels = ()
    direction: Annotated[DirectionText, Field(description="out is from → to.")] = "out"
    hops: Annotated[HopsBody | None, Field(description="Instead of `as`; one edge when it is left out.")] = None
    name: Annotated[Named | None, Field(alias="as", description="So that return and order can name the edge.")] = None
    where: Where = ()


class OrderBody(Body):
    """What matches are sorted by; what is missing or null comes last."""

    by: Annotated[str, Field(description="As in return.", examples=["s.properties.tier"])]
    descending: bool = False


class QueryBody(Body):
    """A pattern to look for. Nothing in it is SQL, and nothing of it becomes part of any."""

    model_config = ConfigDict(
        populate_by_name=True,
        json_schema_extra={
            "examples": [
                {
                    "nodes": {
                        "s": {"kind": "Service", "where": [{"property": "tier", "op": "<=", "value": 2}]},
                        "t": {"kind": "Team"},
                    },
                    "edges": [{"from": "s", "to": "t", "type": "owned_by"}],
                    "return": ["s.id", "t.id", "s.properties.tier"],
                    "order": [{"by": "s.properties.tier"}],
                    "limit": 50,
                },
                {
                    "nodes": {"a": {"id": "svc:checkout"}, "b": {"kind": "Service"}},
                    "edges": [{"from": "a", "to": "b", "type": "depends_on", "hops": {"max": 3}}],
                    "count": True,
                },
            ]
        },
    )

    nodes: Annotated[
        dict[Named, NodePatternBody],
        Field(min_length=1, max_length=patterns.MAX_VARIABLES, description="By the names of the variables."),
    ]
    edges: Annotated[tuple[EdgePatternBody, ...], FailFast(), Field(max_length=patterns.MAX_EDGES)] = ()
    different: Annotated[
        tuple[tuple[str, str], ...], Field(max_length=28, description="Pairs that must not be the same node.")
    ] = ()
    returns: Annotated[
        tuple[str, ...],
        Field(
            alias="return",
            max_length=patterns.MAX_ITEMS,
            description="s, s.id, s.kind, s.properties.<name>; e, e.source, e.type, e.target; all nodes if left out.",
        ),
    ] = ()
    distinct: Annotated[bool, Field(description="Each row once.")] = False
    order: Annotated[tuple[OrderBody, ...], Field(max_length=patterns.MAX_ITEMS)] = ()
    limit: Annotated[int, Field(ge=1, le=patterns.MAX_ROWS, description="Rows a page.")] = 100
    count: Annotated[bool, Field(description="Return how many rows there are, and no rows.")] = False
    cursor: Annotated[str | None, Field(description="The next_cursor of the page before.")] = None

    def query(self) -> Pattern:
        """Read the question; raise `InvalidQueryError`."""
        return pattern(
            [
                node_pattern(
                    name,
                    ids=_several(node.id),
                    kinds=_several(node.kind),
                    where=conditions_of(node.where, f"nodes.{name}.where"),
                )
                for name, node in self.nodes.items()
            ],
            [
                edge_pattern(
                    edge.source,
                    edge.target,
                    field=f"edges[{index}]",
                    name=edge.name,
                    direction=edge.direction,
                    types=_several(edge.type),
                    where=conditions_of(edge.where, f"edges[{index}].where"),
                    hops=(edge.hops.min, edge.hops.max) if edge.hops else (1, 1),
                )
                for index, edge in enumerate(self.edges)
            ],
            returns=self.returns,
            different=self.different,
            distinct=self.distinct,
            order=[(each.by, each.descending) for each in self.order],
            limit=self.limit,
            count=self.count,
        )


class QueryAnswer(Body):
    """A page of rows, each with one value for each column; or their number."""

    snapshot_id: MaybeSnapshot
    columns: Annotated[list[str], Field(examples=[["s.id", "t.id"]])]
    rows: Annotated[
        list[list[NodeBody | EdgeBody | JsonValue]],
        Field(
            description="Nodes and edges as objects, properties as they are, null where there is none.",
            examples=[[["svc:checkout", "team:payments"]]],
        ),
    ]
    count: Annotated[int | None, Field(description="Only when it was asked for.")]
    next_cursor: Annotated[str | None, Field(description="Send it back as cursor for the next page.")]

    @classmethod
    def of(cls, query: Pattern, found: Matches, cursor: str | None) -> Self:
        """Write the page."""
        # Not checked once more: each value came out of the graph's own JSON.
        return cls.model_construct(
            snapshot_id=None if found.snapshot_id is None else str(found.snapshot_id),
            columns=[] if query.count else [item.text for item in query.items],
            rows=[[_value(value) for value in row] for row in found.rows],
            count=found.count,
            next_cursor=cursor,
        )


def _several(given: str | tuple[str, ...]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else given


def _value(value: patterns.Value) -> Any:  # noqa: ANN401 - what our own JSON holds
    match value:
        case Node():
            return {"id": value.id, "kind": value.kind, "properties": object_of(value.properties)}
        case Edge():
            return EdgeBody.of_edge(value).model_dump()
        case _:
            return value
