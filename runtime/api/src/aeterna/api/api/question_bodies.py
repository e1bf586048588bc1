"""The JSON of questions about more than one node's surroundings: subgraphs, relatives, patterns and words."""

# Without the postponed annotations that we have elsewhere: pydantic and FastAPI read these at run time.
from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, JsonValue

from aeterna.api.api.bodies import (
    Body,
    DirectionText,
    EdgeBody,
    Id,
    Kind,
    MaybeSnapshot,
    NeighborBody,
    NodeBody,
    object_of,
)
from aeterna.graph.domain.changes import Edge, Node
from aeterna.graph.domain.questions import patterns, subgraphs
from aeterna.graph.domain.questions.checks import MAX_FILTERS
from aeterna.graph.domain.questions.filters import MAX_CONDITIONS, Condition, condition, condition_parsed
from aeterna.graph.domain.questions.patterns import Matches, Pattern, edge_pattern, node_pattern, pattern
from aeterna.graph.domain.questions.relatedness import Related
from aeterna.graph.domain.questions.searches import Hits
from aeterna.graph.domain.questions.subgraphs import Subgraph, SubgraphQuery, subgraph_query

OperatorText = Literal["=", "!=", "<", "<=", ">", ">=", "exists", "missing"]
Labels = Annotated[str | tuple[str, ...], Field(description="One or several; none means any.", examples=["Service"])]
Named = Annotated[str, Field(max_length=32, examples=["s"])]


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
    tuple[ConditionBody | ConditionText, ...], Field(max_length=MAX_CONDITIONS, description="All of them must hold.")
]


def conditions_of(where: Iterable[ConditionBody | str], parameter: str) -> list[Condition]:
    """Read conditions of either form; raise `InvalidQueryError`."""
    return [
        condition_parsed(each, parameter=parameter) if isinstance(each, str) else each.condition(parameter)
        for each in where
    ]


class SubgraphBody(Body):
    """Which piece of the graph: the nodes around the seeds, and every edge between them."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"seeds": ["svc:checkout", "svc:ledger"], "depth": 1, "types": ["depends_on"]}]}
    )

    seeds: Annotated[list[Id], Field(min_length=1, max_length=subgraphs.MAX_SEEDS)]
    depth: Annotated[int, Field(description="Steps from a seed; 0 is the seeds alone. 5 at most by default.")] = 1
    direction: DirectionText = "both"
    types: Annotated[
        tuple[str, ...], Field(max_length=MAX_FILTERS, description="Walk and return edges of these only.")
    ] = ()
    kinds: Annotated[tuple[str, ...], Field(max_length=MAX_FILTERS, description="Return nodes of these only.")] = ()
    where: Where = ()
    max_nodes: Annotated[int, Field(ge=1, le=subgraphs.MAX_NODES)] = 200
    max_edges: Annotated[int, Field(ge=0, le=subgraphs.MAX_EDGES)] = 1_000

    def query(self) -> SubgraphQuery:
        """Read the question; raise `InvalidQueryError`."""
        return subgraph_query(
            self.seeds,
            depth=self.depth,
            direction=self.direction,
            types=self.types,
            kinds=self.kinds,
            where=conditions_of(self.where, "where"),
            nodes=self.max_nodes,
            edges=self.max_edges,
        )


class SubgraphAnswer(Body):
    """Nodes in order of depth and id, edges in order of source, type and target."""

    snapshot_id: MaybeSnapshot
    nodes: list[NeighborBody]
    edges: Annotated[list[EdgeBody], Field(description="Every edge between these nodes, unless more_edges.")]
    more_nodes: Annotated[bool, Field(description="Whether max_nodes left some out.")]
    more_edges: Annotated[bool, Field(description="Whether max_edges left some out.")]

    @classmethod
    def of(cls, found: Subgraph) -> Self:
        """Write the answer."""
        return cls(
            snapshot_id=None if found.snapshot_id is None else str(found.snapshot_id),
            nodes=[NeighborBody.of(node) for node in found.nodes],
            edges=[EdgeBody.of_edge(edge) for edge in found.edges],
            more_nodes=found.more_nodes,
            more_edges=found.more_edges,
        )


class RelatedBody(NodeBody):
    """A node that is like the one asked about, and why."""

    score: Annotated[float, Field(description="The sum of 1 / ln(degree) over the neighbours that both have.")]
    shared: Annotated[int, Field(description="How many neighbours both have.")]
    because: Annotated[list[Id], Field(description="Up to ten of those, the most telling first.")]


class RelatedAnswer(Body):
    """The most alike first, then in order of id."""

    snapshot_id: MaybeSnapshot
    nodes: list[RelatedBody]
    hubs: Annotated[int, Field(description="Neighbours of very high degree that were not looked at.")]

    @classmethod
    def of(cls, found: Related) -> Self:
        """Write the answer."""
        return cls(
            snapshot_id=None if found.snapshot_id is None else str(found.snapshot_id),
            nodes=[
                RelatedBody(
                    id=node.id,
                    kind=node.kind,
                    properties=object_of(node.properties),
                    score=node.score,
                    shared=node.shared,
                    because=list(node.because),
                )
                for node in found.nodes
            ],
            hubs=found.hubs,
        )


class NodePatternBody(Body):
    """What a node has to be; an empty object is any node."""

    id: Annotated[str | tuple[str, ...], Field(description="One or several.", examples=["svc:checkout"])] = ()
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
    hops: HopsBody | None = None
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

    nodes: Annotated[dict[Named, NodePatternBody], Field(min_length=1, max_length=patterns.MAX_VARIABLES)]
    edges: Annotated[tuple[EdgePatternBody, ...], Field(max_length=patterns.MAX_EDGES)] = ()
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


class MatchedBody(Body):
    """Where words were found."""

    field: Annotated[str, Field(description="id, or properties.<path>.", examples=["properties.name"])]
    snippet: Annotated[str, Field(description="At most 160 characters around the first place.")]
    places: Annotated[
        list[tuple[int, int]], Field(description="Start and end of each place, in characters of the snippet.")
    ]


class HitBody(Body):
    """A node that holds every word."""

    id: Id
    kind: Kind
    score: Annotated[float, Field(description="BM25; it compares with scores of the same answer only.")]
    matched: list[MatchedBody]


class SearchAnswer(Body):
    """The best first, then in order of id."""

    snapshot_id: MaybeSnapshot
    hits: list[HitBody]

    @classmethod
    def of(cls, found: Hits) -> Self:
        """Write the answer."""
        return cls(
            snapshot_id=None if found.snapshot_id is None else str(found.snapshot_id),
            hits=[
                HitBody(
                    id=hit.id,
                    kind=hit.kind,
                    score=hit.score,
                    matched=[
                        MatchedBody(field=each.field, snippet=each.snippet, places=list(each.places))
                        for each in hit.matched
                    ],
                )
                for hit in found.hits
            ],
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
