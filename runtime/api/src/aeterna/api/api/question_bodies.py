"""The JSON of questions about more than one node's surroundings: subgraphs, relatives and words."""

# Without the postponed annotations that we have elsewhere: pydantic and FastAPI read these at run time.
from typing import Annotated, Self

from pydantic import ConfigDict, Field

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
from aeterna.api.api.condition_bodies import Where, conditions_of
from aeterna.graph.domain.questions import subgraphs
from aeterna.graph.domain.questions.checks import MAX_FILTERS
from aeterna.graph.domain.questions.relatedness import Related
from aeterna.graph.domain.questions.searches import Hits
from aeterna.graph.domain.questions.subgraphs import Subgraph, SubgraphQuery, subgraph_query


class SubgraphBody(Body):
    """Which piece of the graph: the nodes around the seeds, and every edge between them."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"seeds": ["svc:checkout", "svc:ledger"], "depth": 1, "types": ["depends_on"]}]}
    )

    seeds: Annotated[list[Id], Field(min_length=1, max_length=subgraphs.MAX_SEEDS, description="Always returned.")]
    depth: Annotated[int, Field(description="Steps from a seed; 0 is the seeds alone. 5 at most by default.")] = 1
    direction: DirectionText = "both"
    types: Annotated[
        tuple[str, ...], Field(max_length=MAX_FILTERS, description="Walk and return edges of these only.")
    ] = ()
    kinds: Annotated[tuple[str, ...], Field(max_length=MAX_FILTERS, description="Return nodes of these only.")] = ()
    where: Where = ()
    max_nodes: Annotated[
        int, Field(ge=1, le=subgraphs.MAX_NODES, description="Leave out those that are farthest from a seed.")
    ] = 200
    max_edges: Annotated[int, Field(ge=0, le=subgraphs.MAX_EDGES, description="Leave out the others.")] = 1_000

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
